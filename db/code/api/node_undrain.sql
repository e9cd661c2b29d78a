-- POST /v1/admin/nodes/{id}/undrain: see node.drain(). Once per Idempotency-Key.
create or replace function api.node_undrain(
    p_login_id uuid,
    p_generation integer,
    p_id ccp.node_id,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.node
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    if account.idempotency_begin('undrain ' || p_id, p_idempotency_key, p_request_sha256) is null then
        perform node.drain(p_id, false);
        perform account.idempotency_save(p_idempotency_key, 200, '{}');
    end if;
    return api.node_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.node_undrain(uuid, integer, ccp.node_id, ccp.request_key, ccp.sha256) from public;
grant execute on function api.node_undrain(uuid, integer, ccp.node_id, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.node_undrain(uuid, integer, ccp.node_id, ccp.request_key, ccp.sha256) is
'POST /v1/admin/nodes/{id}/undrain.';
