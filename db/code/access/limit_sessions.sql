-- Ends the sessions that take more of what all share than their role may, and writes an event for each: what a role can set for
-- itself is no limit. Locks nothing.
create or replace function access.limit_sessions()
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session record;
    v_ended integer := 0;
begin
    for v_session in
        select s.*
        from (
            select a.pid, a.usename, access.session_excess(a, coalesce(k.locks, 0), pg_notification_queue_usage(), l) as excess
            from pg_stat_activity as a
            join ccp.session_limits as l on l.role = a.usename
            left join (select pid, count(*) as locks from pg_locks where not fastpath group by pid) as k on k.pid = a.pid
            where a.datname = current_database() and a.pid <> pg_backend_pid()
        ) as s
        where s.excess is not null
    loop
        if pg_terminate_backend(v_session.pid) then
            perform event.write(
                'database.session.ended',
                format('session %s of %s was ended: %s', v_session.pid, v_session.usename, v_session.excess)
            );
            v_ended := v_ended + 1;
        end if;
    end loop;
    return v_ended;
end
$$;

revoke all on function access.limit_sessions() from public;

comment on function access.limit_sessions() is
'Ends the sessions that take more than their role may; returns how many.';
