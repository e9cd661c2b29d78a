-- Declares dead the processes that have been silent for too long. After an outage of the database, when none could beat, the
-- tick sets grace_at, and their time begins there.
create or replace function process.declare_silent_dead()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until timestamptz := clock.batch_end();
    v_silent_since timestamptz := clock.now() - process.silence_limit();
    v_heard_since timestamptz;
    v_row record;
begin
    select greatest(max(t.grace_at), pg_postmaster_start_time())
    into v_heard_since
    from ccp.ticks as t;
    if v_heard_since >= v_silent_since then
        return;
    end if;
    for v_row in
        select p.id
        from ccp.processes as p
        where p.ended_at is null and p.beat_at < v_silent_since
        order by random()
        for no key update skip locked
    loop
        perform process.try_declare_dead(v_row.id, 'silent');
        exit when clock_timestamp() > v_until;
    end loop;
end
$$;

revoke all on function process.declare_silent_dead() from public;

comment on function process.declare_silent_dead() is
'Declares dead the processes that have been silent for too long.';
