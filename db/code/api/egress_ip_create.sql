-- POST /v1/admin/egress-ips: registers an exit.
create or replace function api.egress_ip_create(
    p_login_id uuid,
    p_generation integer,
    p_label ccp.label,
    p_ip_address ccp.address,
    p_wg_endpoint ccp.endpoint default null,
    p_wg_public_key ccp.wg_key default null,
    p_wg_dns_server ccp.address default null,
    p_wg_peer_address ccp.interface default null,
    p_wg_preshared_key_sealed text default null,
    p_provider ccp.label default null,
    p_status ccp.activation default 'active',
    p_tunnel_type ccp.tunnel_type default 'wireguard',
    p_wg_allowed_ips ccp.networks default null,
    p_wg_mtu ccp.mtu default null,
    p_proxy_config ccp.object default null,
    p_dns_server ccp.address default null,
    p_proxy_secret_sealed text default null,
    p_proxy_secret_members text[] default null,
    p_proxy_secret_keys integer[] default null,
    p_wg_private_key_sealed text default null,
    p_wg_own_public_key ccp.wg_key default null,
    p_ip_address6 ccp.address default null,
    p_wg_peer_address6 ccp.interface default null,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.egress_ip
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('egress_ip', p_idempotency_key, p_request_sha256);
    v_id uuid := (v_ids ->> 'id')::uuid;
begin
    if v_ids is null then
        perform egress.check_secret(
            p_tunnel_type, p_proxy_config, p_proxy_secret_members, p_proxy_secret_keys, p_wg_private_key_sealed is not null
        );
        v_id := egress.add(
            p_label, p_ip_address, p_wg_endpoint, p_wg_public_key, p_wg_dns_server, p_wg_peer_address,
            p_wg_preshared_key_sealed, p_provider, p_status, p_tunnel_type, p_wg_allowed_ips, p_wg_mtu,
            p_proxy_config, p_dns_server, coalesce(p_proxy_secret_sealed, p_wg_private_key_sealed), p_wg_own_public_key,
            p_ip_address6, p_wg_peer_address6
        );
        perform account.idempotency_save(p_idempotency_key, 201, jsonb_build_object('id', v_id));
    end if;
    return api.egress_ip_get(p_login_id, p_generation, v_id);
end
$$;

revoke all on function api.egress_ip_create(
    uuid, integer, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, ccp.request_key, ccp.sha256
) from public;
grant execute on function api.egress_ip_create(
    uuid, integer, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.egress_ip_create(
    uuid, integer, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, ccp.request_key, ccp.sha256
) is
'POST /v1/admin/egress-ips: registers an exit.';
