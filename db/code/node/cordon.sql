-- An administrator takes a node out of the choice for new hosts (p_cordoned), or back into it, which ends a drain too. Its
-- hosts stay as they are, and may be started there. The same again is no change and leaves no event.
create or replace function node.cordon(p_node_id bigint, p_cordoned boolean default true)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text;
begin
    if not p_cordoned then
        perform node.drain(p_node_id, false);
    end if;
    update ccp.nodes as n
    set cordoned_at = case when p_cordoned then clock.now() end
    where n.id = p_node_id
        and (n.cordoned_at is not null) <> p_cordoned
    returning n.name into v_name;
    if found then
        perform event.write(
            case when p_cordoned then 'admin.node.cordoned' else 'admin.node.uncordoned' end,
            format('node %s %s', v_name, case when p_cordoned then 'takes no new hosts' else 'takes new hosts again' end),
            null, null, null, jsonb_build_object('node_id', p_node_id)
        );
    elsif not exists (select from ccp.nodes as n where n.id = p_node_id) then
        perform api.not_found('node_not_found', 'node');
    end if;
end
$$;

revoke all on function node.cordon(bigint, boolean) from public;
grant execute on function node.cordon(bigint, boolean) to ccp_admin;

comment on function node.cordon(bigint, boolean) is
'An administrator takes a node out of the choice for new hosts, or back into it.';
