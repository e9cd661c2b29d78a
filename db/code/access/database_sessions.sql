-- Who is connected to this database, and what each holds. Every role sees it of every other, and no statement of any.
create or replace function access.database_sessions()
returns table (
    pid integer,
    role name,
    program text,
    state text,
    since timestamptz,
    locks bigint,
    writes boolean,
    holds_up bigint
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with waiting as materialized (
        select pg_blocking_pids(w.pid) as blockers
        from pg_stat_activity as w
        where w.wait_event_type = 'Lock'
    )
    select
        a.pid, a.usename, a.application_name, a.state, a.xact_start, coalesce(k.locks, 0), a.backend_xid is not null,
        (select count(*) from waiting as w where a.pid = any (w.blockers))
    from pg_stat_activity as a
    left join (select l.pid, count(*) as locks from pg_locks as l where not l.fastpath group by l.pid) as k on k.pid = a.pid
    where a.datname = current_database() and a.backend_type = 'client backend'
$$;

revoke all on function access.database_sessions() from public;
grant execute on function access.database_sessions() to ccp_automation, ccp_dba;

comment on function access.database_sessions() is
'Who is connected to this database, and what each holds.';
