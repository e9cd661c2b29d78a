-- What the live streams read: each transaction that changes a row which a list shows notes that here.

create schema live;
comment on schema live is 'The live streams: what has changed since a client last heard.';
grant usage on schema live to ccp_api, ccp_as_user;

create domain api.live_topic as text
constraint live_topic_is_known check (value in ('hosts', 'tasks', 'events', 'sessions', 'nodes'));
create domain api.own_live_topic as text
constraint own_live_topic_is_known check (value in ('hosts', 'tasks', 'events', 'sessions'));
create domain api.live_action as text constraint live_action_is_known check (value in ('upsert', 'delete'));
comment on domain api.live_topic is 'What a live stream may tell of.';
comment on domain api.own_live_topic is 'The same for users.';
comment on domain api.live_action is 'What became of a row: it is there, new or changed, or it has left the list.';

-- Each write of a listed row writes one of these, so it has one index and no constraint: to check the noun, which only the
-- schema live writes, took half as long as to write the row.
create table ccp.changes (
    xid xid8 not null default pg_current_xact_id(),
    noun text not null,
    row_id text not null,
    host_id uuid,
    user_id uuid,
    rings boolean not null default true
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 1, autovacuum_vacuum_cost_delay = 0);
comment on table ccp.changes is
'Rows that were written, for 15 minutes, whoever wrote them. Live streams read it by snapshot.';
comment on column ccp.changes.xid is 'The transaction.';
comment on column ccp.changes.noun is
'hosts, tasks, sessions, nodes; parts: something that a host shows, such as its exit or its last proof; logins: what may end '
'a user''s logins.';
comment on column ccp.changes.row_id is 'Which row, of parts the host''s, of logins the user''s; *: any of them.';
comment on column ccp.changes.host_id is 'The host that shows it.';
comment on column ccp.changes.user_id is 'Whose it is.';
comment on column ccp.changes.rings is 'Whether it is told at once, or when the readers look in any case: within half a second.';
create index changes_by_transaction on ccp.changes (xid);

create table ccp.change_marks (
    at timestamptz primary key,
    ended_before xid8 not null
);
comment on table ccp.change_marks is
'When which transactions had ended. What those of the oldest mark changed may have been forgotten.';
comment on column ccp.change_marks.at is 'When.';
comment on column ccp.change_marks.ended_before is 'Every earlier transaction had ended.';

-- As in 0007: it has a user, so it is bound like the others, and user routes are not let near it at all.
alter table ccp.changes enable row level security;
create policy own_rows_only on ccp.changes to ccp_as_user
using (user_id = nullif(current_setting('ccp.user_id', true), '')::uuid);
comment on policy own_rows_only on ccp.changes is 'A user route sees the rows of the user who entered.';
create policy dba_reads_all on ccp.changes for select to ccp_dba using (true);
comment on policy dba_reads_all on ccp.changes is 'The DBA reads every row.';
grant select on ccp.changes, ccp.change_marks to ccp_dba;

do $$
declare
    v_name text;
begin
    foreach v_name in array array[
        'note_hosts', 'note_task', 'note_sessions', 'note_parts', 'note_node', 'note_on_node', 'note_user', 'note_login',
        'note_setting', 'ring'
    ]
    loop
        execute format(
            'create function live.%s() returns trigger language plpgsql as $f$ begin raise ''db/code was not applied''; end $f$',
            v_name
        );
    end loop;
end
$$;

-- Many rows by one statement are noted by one. Such a trigger sees the rows of one kind of statement only.
do $$
declare
    v_table record;
    v_way record;
begin
    for v_table in
        select t.name, t.function
        from (values
            ('hosts', 'live.note_hosts()'),
            ('sessions', 'live.note_sessions()'),
            ('bindings', 'live.note_parts()'),
            ('observations', 'live.note_parts()'),
            ('ssh_faults', 'live.note_parts()'),
            ('verifications', 'live.note_parts()')
        ) as t (name, function)
    loop
        for v_way in
            select w.verb, w.transition
            from (values ('insert', 'new'), ('update', 'new'), ('delete', 'old')) as w (verb, transition)
            where v_table.name <> 'verifications' or w.verb = 'insert'
        loop
            execute format(
                'create trigger %1$s_%2$s_is_noted after %2$s on ccp.%1$I referencing %3$s table as changed '
                'for each statement execute function %4$s',
                v_table.name, v_way.verb, v_way.transition, v_table.function
            );
        end loop;
    end loop;
end
$$;

create trigger tasks_are_noted after insert or update or delete on ccp.task_rows
for each row execute function live.note_task();
create trigger nodes_are_noted after insert or update or delete on ccp.nodes
for each row execute function live.note_node();
create trigger node_troubles_are_noted after insert or update or delete on ccp.node_troubles
for each row execute function live.note_on_node();
create trigger programs_are_noted after insert on ccp.processes
for each row execute function live.note_on_node();
create trigger ends_of_programs_are_noted after update on ccp.processes
for each row when (old.ended_at is distinct from new.ended_at)
execute function live.note_on_node();
create trigger users_are_noted after update on ccp.users
for each row when (
    (old.username, old.role, old.disabled_at, old.expires_at, old.deleting_at, old.deleted_at)
    is distinct from (new.username, new.role, new.disabled_at, new.expires_at, new.deleting_at, new.deleted_at)
)
execute function live.note_user();
create trigger ends_of_logins_are_noted after update on ccp.logins
for each row when ((old.revoked_at, old.expires_at) is distinct from (new.revoked_at, new.expires_at))
execute function live.note_login();
create trigger logins_that_go_are_noted after delete on ccp.logins
for each row execute function live.note_login();
create trigger settings_are_noted after update on ccp.settings
for each row when (
    old.value is distinct from new.value and new.name in ('ssh_host', 'ssh_port', 'ssh_host_key')
)
execute function live.note_setting();

create trigger changes_ring after insert on ccp.changes
for each row when (new.rings) execute function live.ring();
