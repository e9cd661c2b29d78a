-- What each write notes for the live streams: which row of which list.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(28);

-- What was noted since it was last asked, without ids: noun, whose row, what host it is of.
create function t.noted() returns text language plpgsql security definer as $$
declare
    v_noted text;
begin
    select string_agg(n.line, ', ' order by n.line)
    into v_noted
    from (
        select distinct concat_ws(' ', c.noun, case c.row_id
            when '*' then '*'
            when t.host()::text then 'abcdef'
            when t.user('alice')::text then 'alice'
            when (select id::text from ccp.nodes) then 'node1'
        end, case when c.host_id = t.host() then 'of abcdef' end, case when c.user_id = t.user('alice') then 'alice''s' end) as line
        from ccp.changes as c
    ) as n;
    delete from ccp.changes;
    return v_noted;
end
$$;
grant ccp_owner to current_user;
set local role ccp_owner;
select t.noted();
reset role;

update ccp.hosts set label = 'x';
select is(t.noted(), 'hosts abcdef alice''s', 'a host that is edited');
select t.ask('host.start');
select is(t.noted(), 'hosts abcdef alice''s, tasks of abcdef alice''s', 'a task that is asked for moves its host');
select t.claim();
select is(t.noted(), 'tasks of abcdef alice''s', 'its claim');
select task.progress(id, lease, 'verifying', 10, 'x') from ccp.task_rows where status = 'running';
select is(t.noted(), 'tasks of abcdef alice''s', 'its progress');
select t.succeed();
select is(t.noted(), 'hosts abcdef alice''s, tasks of abcdef alice''s', 'its end');
delete from ccp.task_rows;
select is(t.noted(), 'tasks of abcdef alice''s', 'and that it is forgotten');
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select user_id, id, t.agent(), 'key', '198.51.100.7' from ccp.hosts;
select is(t.noted(), 'sessions of abcdef alice''s', 'a session that begins');
update ccp.sessions set ended_at = now(), end_reason = 'closed';
select is(t.noted(), 'sessions of abcdef alice''s', 'that ends');
delete from ccp.sessions;
select is(t.noted(), 'sessions of abcdef alice''s', 'that is forgotten');
update ccp.bindings set exit_label = 'x';
select is(t.noted(), 'parts abcdef', 'its exit is a part of a host');
insert into ccp.observations (host_id, process_id, sequence, state, observed_at) values (t.host(), t.agent(), 1, 'running', now());
select is(t.noted(), 'parts abcdef', 'so is what was seen of it');
select host.note_proofs(t.agent(), array[t.host()], array[now()], array[60]);
select is(t.noted(), 'parts abcdef', 'its proofs');
insert into ccp.ssh_faults (host_id, what, user_id, since, message) select id, 'port', user_id, now(), 'x' from ccp.hosts;
select is(t.noted(), 'parts abcdef', 'what keeps people out');
delete from ccp.ssh_faults;
select is(t.noted(), 'parts abcdef', 'or does no longer');
insert into ccp.verifications (host_id, user_id, process_id, kind, outcome, checks, duration_ms)
select id, user_id, t.agent(), 'full', 'passed', '[]', 1 from ccp.hosts;
select is(t.noted(), 'parts abcdef', 'and its evidence');
update ccp.users set username = 'alicia' where username = 'alice';
update ccp.users set username = 'alice' where username = 'alicia';
select is(t.noted(), 'logins alice, parts abcdef, sessions *', 'a user''s name is in hosts and sessions');
update ccp.users set disabled_at = now() where username = 'alice';
select is(t.noted(), 'logins alice, parts abcdef', 'a user who is disabled: the hosts say so, the logins may have ended');
update ccp.users set password_changed_at = now() where username = 'alice';
select is(t.noted(), null, 'what no list of hosts shows of a user is not noted');
update ccp.logins set generation = 2 where user_id = t.user('alice');
select is(t.noted(), null, 'a login that is renewed goes on');
update ccp.logins set revoked_at = now(), revoke_reason = 'logout' where user_id = t.user('alice');
select is(t.noted(), 'logins alice', 'one that is revoked may end streams');
delete from ccp.logins where user_id = t.user('alice');
select is(t.noted(), 'logins alice', 'or one that is gone');
select node.cordon((select id from ccp.nodes), true);
select is(t.noted(), 'nodes node1', 'a node');
update ccp.processes set beat_at = now() + interval '1 second';
select is(t.noted(), null, 'not each beat of its programs');
update ccp.processes set ended_at = now(), end_reason = 'silent' where program = 'ccp-worker';
select is(t.noted(), 'nodes node1', 'but their ends');
update ccp.processes set ended_at = now(), end_reason = 'silent' where program = 'ccp-agent';
select is(t.noted(), 'nodes node1, parts abcdef', 'that of an agent in its running hosts too');
update ccp.settings set value = '"ssh.example.org"' where name = 'ssh_host';
select is(t.noted(), 'parts *', 'what every host shows');
update ccp.settings set value = '61' where name = 'verify_light_s';
select is(t.noted(), null, 'and no other setting');

insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, deleted_at)
select n.short_id, u.id, d.id, 'image', n.status, n.desired, n.deleted_at
from ccp.nodes as d
join (values ('ghijkl', 'bobby', 'stopped', 'stopped', null), ('mnopqr', 'alice', 'deleted', 'absent', now()))
    as n (short_id, username, status, desired, deleted_at) on true
join ccp.users as u using (username);
select t.noted();
update ccp.users set disabled_at = null where username = 'alice';
select is(t.noted(), 'logins alice, parts abcdef', 'of a user''s hosts those that are there, and no other''s');

select * from finish();
rollback;
