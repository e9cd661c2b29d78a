-- An administrator takes the hosts off a node (p_drained), as before work on the machine, or lets them run again. A drained
-- node takes no new hosts either (node.cordon), also when the drain has ended, until it is uncordoned. Its hosts stay what
-- their owners desire; host.gives_way() keeps them stopped, each with its next tick, and from its end on they are started
-- again. The same again is no change and leaves no event.
create or replace function node.drain(p_node_id bigint, p_drained boolean default true)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text;
begin
    if p_drained then
        perform node.cordon(p_node_id);
    end if;
    update ccp.nodes as n
    set drained_at = case when p_drained then clock.now() end
    where n.id = p_node_id
        and (n.drained_at is not null) <> p_drained
    returning n.name into v_name;
    if found then
        perform event.write(
            case when p_drained then 'admin.node.drained' else 'admin.node.undrained' end,
            format('node %s %s', v_name, case when p_drained then 'runs no hosts' else 'runs hosts again' end),
            null, null, null, jsonb_build_object('node_id', p_node_id)
        );
    elsif not exists (select from ccp.nodes as n where n.id = p_node_id) then
        perform api.not_found('node_not_found', 'node');
    end if;
end
$$;

revoke all on function node.drain(bigint, boolean) from public;
grant execute on function node.drain(bigint, boolean) to ccp_admin;

comment on function node.drain(bigint, boolean) is
'An administrator takes the hosts off a node, or lets them run again.';
