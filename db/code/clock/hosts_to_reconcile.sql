-- The next hosts, by id, that are not as wanted and have a remedy now; locks them, and leaves out what others have locked. A
-- host that is as it is desired is not looked at: what an expired or disabled user still runs is account.enforce()'s, what
-- gives way on its node is host.make_room()'s, and drift is noted where it is seen. The planner takes most hosts for unlike
-- what is desired of them; the index knows the few. Planned once a session: to plan it takes longer than to look.
create or replace function clock.hosts_to_reconcile(p_after uuid, p_limit integer)
returns table (id uuid, short_id text)
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
    return query
    select h.id, h.short_id::text
    from ccp.hosts as h
    join ccp.users as u on u.id = h.user_id
    join ccp.nodes as n on n.id = h.node_id
    left join ccp.observations as o on o.host_id = h.id
    cross join lateral (
        select
            host.wanted_of(
                h.desired, account.state(u.disabled_at, u.expires_at),
                host.gives_way(o.disk_excess, n.disk_short_since, n.drained_at)
            ) as wanted
    ) as w
    join ccp.host_remedies as r on r.status = h.status and r.wanted = w.wanted
    join ccp.task_kinds as k on k.kind = r.kind
    left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
    where h.status in ('pending', 'stopped', 'running', 'unavailable', 'failed')
        and h.status <> h.desired
        and (p_after is null or h.id > p_after)
        and (h.retry_at is null or h.retry_at <= clock.now())
        and not exists (
            select
            from ccp.task_rows as t
            where t.host_id = h.id and t.status in ('queued', 'running')
        )
        and (not k.needs_binding or h.wg_public_key is null or b.id is not null)
    order by h.id
    limit p_limit
    for no key update of h skip locked;
end
$$;

revoke all on function clock.hosts_to_reconcile(uuid, integer) from public;

comment on function clock.hosts_to_reconcile(uuid, integer) is
'The next hosts that are not as wanted and have a remedy now, locked.';
