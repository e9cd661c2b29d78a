-- The roles of cloud-cli-proxy, once per cluster, by a superuser connected to the database "postgres".
--
-- Always that database: roles belong to the cluster, but advisory locks to a database, and two sessions that
-- change the same role at once fail with "tuple concurrently updated". Running it again changes only what differs.
--
--   ccp_owner       owns every object; its functions are the machine. Nobody logs in as it.
--   ccp_as_user     owns the functions of user routes and no table; row-level security binds exactly this role.
--   ccp_admin       the person who may "set role ccp_owner".
--   ccp_dba         reads everything but secrets.
--   ccp_automation  inserts into ccp.tasks and reads the people's views.
--   ccp_api ccp_worker ccp_agent ccp_sshproxy   one per program: execute on its own functions, nothing else.
--   ccp_cron        pg_cron's: may tick only.
\set ON_ERROR_STOP on
begin;

select pg_advisory_xact_lock(hashtext('cloud-cli-proxy roles')) \g /dev/null

create temporary table wanted_roles (
    name text primary key,
    login boolean not null,
    connections integer not null,
    settings jsonb not null
) on commit drop;

-- The limits on connections are for all sessions of a role together; deploy's server has places for all of them at once.
-- A program gives up a call after 3 s (ccp-sshproxy half as soon), so the server does too, and a lock is given up before, so
-- that who waits can be told who holds it; a transaction that idles holds back everybody.
-- Of what readers' sessions say nothing goes into the server's log: debug_print_plan, which each may turn on, fills it with
-- one statement.
insert into wanted_roles (name, login, connections, settings)
values
    ('ccp_owner', false, -1, '{}'),
    ('ccp_as_user', false, -1, '{}'),
    (
        'ccp_api', true, 20,
        '{"TimeZone": "UTC", "statement_timeout": "3s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "5s",
        "jit": "off"}'
    ),
    (
        'ccp_worker', true, 20,
        '{"statement_timeout": "10s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "5s", "jit": "off"}'
    ),
    (
        'ccp_agent', true, 60,
        '{"statement_timeout": "3s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "5s", "jit": "off"}'
    ),
    (
        'ccp_sshproxy', true, 20,
        '{"statement_timeout": "3s", "lock_timeout": "1s", "idle_in_transaction_session_timeout": "5s", "jit": "off"}'
    ),
    (
        'ccp_automation', true, 30,
        '{"statement_timeout": "30s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s",
        "temp_file_limit": "512MB", "log_min_messages": "fatal"}'
    ),
    (
        'ccp_dba', true, 20,
        '{"statement_timeout": "5min", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "1min",
        "default_transaction_read_only": "on", "temp_file_limit": "512MB", "log_min_messages": "fatal"}'
    ),
    ('ccp_admin', true, 15, '{"lock_timeout": "5s", "idle_in_transaction_session_timeout": "5min"}'),
    ('ccp_cron', true, 5, '{"statement_timeout": "50s", "lock_timeout": "2s", "jit": "off"}');

do $$
declare
    v_role record;
    v_setting record;
    v_config text[];
begin
    for v_role in
        select w.*, r.oid, r.rolcanlogin, r.rolconnlimit, r.rolinherit
        from wanted_roles as w
        left join pg_roles as r on r.rolname = w.name
        order by w.name
    loop
        if v_role.oid is null then
            execute format('create role %I', v_role.name);
        end if;
        if v_role.rolcanlogin is distinct from v_role.login
            or v_role.rolconnlimit is distinct from v_role.connections
            or v_role.rolinherit is distinct from (v_role.name <> 'ccp_admin')
        then
            execute format(
                'alter role %I %s %s connection limit %s nosuperuser nocreatedb nocreaterole noreplication',
                v_role.name,
                case when v_role.login then 'login' else 'nologin' end,
                case when v_role.name = 'ccp_admin' then 'noinherit' else 'inherit' end,
                v_role.connections
            );
        end if;
        v_config := array(
            select s.setconfig
            from pg_db_role_setting as s
            join pg_roles as r on r.oid = s.setrole
            where r.rolname = v_role.name and s.setdatabase = 0
        );
        for v_setting in
            select d.key, d.value
            from jsonb_each_text(v_role.settings) as d
            where not (d.key || '=' || d.value = any (v_config))
        loop
            execute format('alter role %I set %I = %L', v_role.name, v_setting.key, v_setting.value);
        end loop;
    end loop;
    if not pg_has_role('ccp_admin', 'ccp_owner', 'member') then
        grant ccp_owner to ccp_admin;
    end if;
    if not pg_has_role('ccp_owner', 'ccp_as_user', 'member') then
        grant ccp_as_user to ccp_owner;
    end if;
    -- access.limit_sessions() sees what sessions do, and ends those that take too much.
    if not pg_has_role('ccp_owner', 'pg_read_all_stats', 'member') then
        grant pg_read_all_stats to ccp_owner;
    end if;
    if not pg_has_role('ccp_owner', 'pg_signal_backend', 'member') then
        grant pg_signal_backend to ccp_owner;
    end if;
end
$$;

comment on role ccp_owner is 'Owns every object of cloud-cli-proxy; nobody logs in as it.';
comment on role ccp_as_user is 'Owns the functions of user routes and no table; row-level security binds this role.';
comment on role ccp_admin is 'The person who may set role ccp_owner.';
comment on role ccp_dba is 'Reads everything but secrets.';
comment on role ccp_automation is 'Inserts into ccp.tasks and reads the views.';
comment on role ccp_api is 'The program ccp-api.';
comment on role ccp_worker is 'The program ccp-worker.';
comment on role ccp_agent is 'The program ccp-agent.';
comment on role ccp_sshproxy is 'The program ccp-sshproxy.';
comment on role ccp_cron is 'pg_cron, which may tick only.';

commit;
