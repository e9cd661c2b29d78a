-- POST /v1/admin/nodes/{id}/cordon, uncordon, drain and undrain: does the route's kind of thing to a node, once per
-- Idempotency-Key; the answer is the node as it is then.
create or replace function api.node_act(
    p_login_id uuid,
    p_generation integer,
    p_id ccp.node_id,
    p_kind text,
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
    if account.idempotency_begin(p_kind || ' ' || p_id, p_idempotency_key, p_request_sha256) is null then
        case p_kind
            when 'node.cordon' then perform node.cordon(p_id);
            when 'node.uncordon' then perform node.cordon(p_id, false);
            when 'node.drain' then perform node.drain(p_id);
            when 'node.undrain' then perform node.drain(p_id, false);
        end case;
        perform account.idempotency_save(p_idempotency_key, 200, '{}');
    end if;
    return api.node_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.node_act(uuid, integer, ccp.node_id, text, ccp.request_key, ccp.sha256) from public;
grant execute on function api.node_act(uuid, integer, ccp.node_id, text, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.node_act(uuid, integer, ccp.node_id, text, ccp.request_key, ccp.sha256) is
'POST /v1/admin/nodes/{id}/cordon, uncordon, drain and undrain.';
