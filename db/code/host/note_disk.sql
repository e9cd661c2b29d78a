-- An agent tells what a host's files take of its disk. That it becomes too much, and that it no longer is, is an event each. What
-- follows is decided with the disk of its node: host.gives_way. Locks the host, so that of two calls the later sees the first.
create or replace function host.note_disk(
    p_process_id bigint, p_host_id uuid, p_bytes bigint, p_files bigint, p_depth integer
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_process ccp.processes := process.require(p_process_id);
    v_host ccp.hosts;
    v_before ccp.observations;
    v_excess text := host.disk_excess(p_bytes, p_files, p_depth);
begin
    select h.*
    into v_host
    from ccp.hosts as h
    where h.id = p_host_id
        and h.node_id = v_process.node_id
        and h.status <> 'deleted'
    for no key update;
    select o.*
    into v_before
    from ccp.observations as o
    where o.host_id = v_host.id;
    update ccp.observations as o
    set
        disk_bytes = p_bytes,
        disk_files = p_files,
        disk_depth = p_depth,
        disk_excess = v_excess
    where o.host_id = v_host.id
        and (o.disk_bytes, o.disk_files, o.disk_depth, o.disk_excess) is distinct from (p_bytes, p_files, p_depth, v_excess);
    if not found or (v_before.disk_excess is null) = (v_excess is null) then
        return;
    end if;
    perform event.write(
        case when v_excess is null then 'host.disk.within' else 'host.disk.over' end,
        coalesce(
            format('host %s takes too much of its disk: ', v_host.short_id) || v_excess,
            format('host %s takes no more of its disk than it may', v_host.short_id)
        ),
        v_host.user_id, v_host.id
    );
end
$$;

revoke all on function host.note_disk(bigint, uuid, bigint, bigint, integer) from public;
grant execute on function host.note_disk(bigint, uuid, bigint, bigint, integer) to ccp_agent;

comment on function host.note_disk(bigint, uuid, bigint, bigint, integer) is
'Notes what a host''s files take of its disk: bytes, how many they are, how deep they are nested.';
