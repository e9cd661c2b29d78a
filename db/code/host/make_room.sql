-- A rule of the tick: stops what runs and has to give way on its node (host.gives_way), and says why. A host
-- with a live task waits for the next tick; locked ones are left out. Returns the last id if there may be more, else null.
create or replace function host.make_room(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host record;
    v_task_id uuid;
    v_count integer := 0;
begin
    for v_host in
        select h.id, h.short_id, h.user_id, n.name, n.drained_at, o.disk_excess as excess
        from ccp.nodes as n
        join ccp.hosts as h on h.node_id = n.id
        left join ccp.observations as o on o.host_id = h.id
        where host.gives_way(o.disk_excess, n.disk_short_since, n.drained_at)
            and h.status = 'running'
            and (p_after is null or h.id > p_after)
        order by h.id
        limit p_limit
        for no key update of h skip locked
    loop
        v_count := v_count + 1;
        v_task_id := host.reconcile(v_host.id);
        if v_task_id is not null then
            perform event.write(
                case when v_host.drained_at is not null then 'host.stop.drained' else 'host.disk.stopped' end,
                format('host %s is stopped: ', v_host.short_id) || case
                    when v_host.drained_at is not null then format('%s is drained', v_host.name)
                    else format('%s, and the disk of %s is nearly full', v_host.excess, v_host.name)
                end,
                v_host.user_id, v_host.id, v_task_id
            );
        end if;
        if v_count = p_limit then
            return v_host.id;
        end if;
    end loop;
    return null;
end
$$;

revoke all on function host.make_room(uuid, integer) from public;

comment on function host.make_room(uuid, integer) is
'Stops a batch of hosts that have to give way on their nodes; returns where the next one begins.';
