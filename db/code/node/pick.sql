-- The node for a new host: of those that are not cordoned and where an agent has ever registered, a living one before a
-- silent one, then the one with the fewest hosts.
create or replace function node.pick()
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_node_id bigint;
begin
    select p.node_id
    into v_node_id
    from ccp.processes as p
    join ccp.nodes as n on n.id = p.node_id
    where p.program = 'ccp-agent'
        and n.cordoned_at is null
    group by p.node_id
    order by
        bool_or(p.ended_at is null) desc,
        (select count(*) from ccp.hosts as h where h.node_id = p.node_id and h.status <> 'deleted'),
        p.node_id
    limit 1;
    if not found then
        perform access.refuse(
            'CP409', 'no_node', 'no machine takes new hosts', '{}', 'start an agent first, or uncordon a node'
        );
    end if;
    return v_node_id;
end
$$;

revoke all on function node.pick() from public;

comment on function node.pick() is
'The node on which a new host will live.';
