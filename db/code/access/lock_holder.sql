-- Who most likely holds what a call has just waited for in vain: a session that holds up others now, else one that has been
-- writing for longer than a call waits, a person's before a program's. Null: it is over. The one who waited does not wait any
-- more, so nobody can know for sure.
create or replace function access.lock_holder()
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'pid', s.pid,
        'role', s.role,
        'since', s.since,
        'sentence', format(
            'Session %s of %s has held what this needs for %s. Try again when it has ended; an administrator ends it by '
            '"select pg_terminate_backend(%s)".',
            s.pid, s.role, clock.span(clock_timestamp() - s.since), s.pid
        )
    )
    from access.database_sessions() as s
    where s.pid <> pg_backend_pid()
        and (s.holds_up > 0 or s.writes and s.since < clock_timestamp() - interval '1 second')
    order by s.holds_up desc, process.is_program(s.role), s.since
    limit 1
$$;

revoke all on function access.lock_holder() from public;
grant execute on function access.lock_holder() to ccp_api, ccp_agent, ccp_sshproxy;

comment on function access.lock_holder() is
'Who most likely holds what a call has just waited for in vain: {pid, role, since, sentence}.';
