-- POST /v1/admin/nodes/{id}/uncordon: see node.cordon().
create or replace function api.node_uncordon(p_login_id uuid, p_generation integer, p_id ccp.node_id)
returns api.node
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    perform node.cordon(p_id, false);
    return api.node_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.node_uncordon(uuid, integer, ccp.node_id) from public;
grant execute on function api.node_uncordon(uuid, integer, ccp.node_id) to ccp_api;

comment on function api.node_uncordon(uuid, integer, ccp.node_id) is
'POST /v1/admin/nodes/{id}/uncordon.';
