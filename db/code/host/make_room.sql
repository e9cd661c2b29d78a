-- A rule of the tick: stops what runs and has to give way on its node (host.gives_way). A host
-- with a live task waits for the next tick; locked ones are left out. Returns the last id if there may be more, else null.
create or replace function host.make_room(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host record;
    v_count integer := 0;
begin
    for v_host in
        select h.id
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
        perform host.reconcile(v_host.id);
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
