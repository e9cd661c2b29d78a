-- A rule of the tick: forgets the failures of hosts that have been as wanted for 10 minutes. Locked ones wait.
create or replace function clock.forget_failures(p_after uuid default null, p_limit integer default 100)
returns uuid
language sql
set search_path = pg_catalog, pg_temp
as $$
    with calm as (
        update ccp.hosts as h
        set
            failures = 0,
            retry_at = null
        where h.id = any (array(
            select s.id
            from ccp.hosts as s
            where s.failures > 0
                and (p_after is null or s.id > p_after)
                and s.status = host.wanted(s)
                and s.status_changed_at < clock.now() - interval '10 minutes'
            order by s.id
            limit p_limit
            for no key update skip locked
        ))
        returning h.id
    )
    select clock.batch_after(array_agg(c.id order by c.id), p_limit)
    from calm as c
$$;

revoke all on function clock.forget_failures(uuid, integer) from public;

comment on function clock.forget_failures(uuid, integer) is
'Forgets the failures of hosts that have been as wanted for 10 minutes; returns where the next batch begins.';
