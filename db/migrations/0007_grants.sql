-- Who may see what.
--
-- Functions of user routes run as ccp_as_user, and these policies bind exactly that role, by bare equality with the
-- actor that account.enter() set for the transaction. What may be called is said where each function is.

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'logins', 'ssh_keys', 'hosts', 'bindings', 'task_rows', 'access_grants', 'sessions', 'idempotency_keys',
        'events', 'verifications', 'ssh_faults', 'users'
    ]
    loop
        execute format('alter table ccp.%I enable row level security', v_table);
        execute format(
            'create policy own_rows_only on ccp.%I to ccp_as_user '
            'using (%I = nullif(current_setting(''ccp.user_id'', true), '''')::uuid)',
            v_table, case when v_table = 'users' then 'id' else 'user_id' end
        );
        execute format(
            'comment on policy own_rows_only on ccp.%I is %L',
            v_table, 'A user route sees the rows of the user who entered.'
        );
        execute format('create policy dba_reads_all on ccp.%I for select to ccp_dba using (true)', v_table);
        execute format('comment on policy dba_reads_all on ccp.%I is %L', v_table, 'The DBA reads every row.');
    end loop;
end
$$;

alter table ccp.observations enable row level security;
create policy own_hosts_only on ccp.observations to ccp_as_user
using (exists (select from ccp.hosts as h where h.id = host_id));
comment on policy own_hosts_only on ccp.observations is 'A user route sees what was seen of the hosts that it sees.';
create policy dba_reads_all on ccp.observations for select to ccp_dba using (true);
comment on policy dba_reads_all on ccp.observations is 'The DBA reads every row.';

create policy own_audience_only on ccp.events as restrictive for select to ccp_as_user
using (type in (select t.type from ccp.event_types as t where t.audience = 'user'));
comment on policy own_audience_only on ccp.events is 'What only administrators see, a user route does not see of its own user.';

grant select (host_id, proven_at, proof_ends_at) on ccp.observations to ccp_as_user;
grant select on ccp.bindings, ccp.task_rows, ccp.events, ccp.verifications, ccp.sessions, ccp.ssh_keys,
ccp.ssh_faults, ccp.task_kinds, ccp.host_statuses, ccp.settings, ccp.event_types to ccp_as_user;
grant insert, delete on ccp.ssh_keys to ccp_as_user;
grant update (end_requested_at, end_requested_by, end_reason) on ccp.sessions to ccp_as_user;
grant select (
    id, username, short_id, role, password_changed_at, expires_at, idle_stop_minutes, disabled_at, deleting_at, deleted_at,
    version, created_at, updated_at
) on ccp.users to ccp_as_user;
grant select (
    id, short_id, label, user_id, node_id, status, desired, image, image_id, timezone, memory_limit_mb, cpu_limit, pids_limit,
    disk_limit_gb, sudo, idle_stop_minutes, ssh_password_changed_at, wg_public_key, ssh_host_key, error_code, error_message,
    status_changed_at, finished_at, deleted_at, version, created_at, updated_at
) on ccp.hosts to ccp_as_user;
grant update (ssh_password_hash, ssh_password_changed_at) on ccp.hosts to ccp_as_user;

-- The DBA reads every column that is not a secret.
do $$
declare
    v_table record;
begin
    for v_table in
        select
            c.oid::regclass as name,
            string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'ccp'::regnamespace
            and c.relkind in ('r', 'p')
            and not c.relispartition
            and a.attname not in (
                'password_hash', 'ssh_password_hash', 'secret', 'secret_sealed', 'wg_preshared_key_sealed', 'poll_token_sha256',
                'cookie_id', 'url'
            )
        group by c.oid
    loop
        execute format('grant select (%s) on %s to ccp_dba', v_table.columns, v_table.name);
    end loop;
end
$$;
