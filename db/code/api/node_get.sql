-- GET /v1/admin/nodes/{id}.
create or replace function api.node_get(p_login_id uuid, p_generation integer, p_id ccp.node_id)
returns api.node
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_node api.node;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select *
    into v_node
    from api.node as n
    where n.id = p_id;
    if not found then
        perform api.not_found('node_not_found', 'node');
    end if;
    return v_node;
end
$$;

revoke all on function api.node_get(uuid, integer, ccp.node_id) from public;
grant execute on function api.node_get(uuid, integer, ccp.node_id) to ccp_api;

comment on function api.node_get(uuid, integer, ccp.node_id) is
'GET /v1/admin/nodes/{id}.';
