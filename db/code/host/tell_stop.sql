-- Writes down why a host is stopped whose owner desires it running (host.wanted_of): its user is not active, its node is
-- drained, or it takes too much of a disk that is nearly full. Once for each task that stops it. The caller holds the host's row.
create or replace function host.tell_stop(p_host ccp.hosts, p_task_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_state text := (
        select account.state(u.disabled_at, u.expires_at)
        from ccp.users as u
        where u.id = p_host.user_id
    );
    v_node ccp.nodes;
begin
    if exists (
        select
        from ccp.events as e
        where e.task_id = p_task_id
            and e.type in ('host.stop.expired', 'host.stop.drained', 'host.disk.stopped')
    ) then
        return;
    end if;
    select n.*
    into v_node
    from ccp.nodes as n
    where n.id = p_host.node_id;
    perform event.write(
        case
            when v_state <> 'active' then 'host.stop.expired'
            when v_node.drained_at is not null then 'host.stop.drained'
            else 'host.disk.stopped'
        end,
        case
            when v_state <> 'active' then format('host %s is stopped because its user is %s', p_host.short_id, v_state)
            when v_node.drained_at is not null then format('host %s is stopped: %s is drained', p_host.short_id, v_node.name)
            else format(
                'host %s is stopped: %s, and the disk of %s is nearly full', p_host.short_id,
                (select o.disk_excess from ccp.observations as o where o.host_id = p_host.id), v_node.name
            )
        end,
        p_host.user_id, p_host.id, p_task_id
    );
end
$$;

revoke all on function host.tell_stop(ccp.hosts, uuid) from public;

comment on function host.tell_stop(ccp.hosts, uuid) is
'Writes down why a host is stopped whose owner desires it running.';
