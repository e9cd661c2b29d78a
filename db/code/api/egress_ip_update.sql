-- PATCH /v1/admin/egress-ips/{id}: what is absent stays.
create or replace function api.egress_ip_update(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_label ccp.label default null,
    p_ip_address ccp.address default null,
    p_wg_endpoint ccp.endpoint default null,
    p_wg_public_key ccp.wg_key default null,
    p_wg_dns_server ccp.address default null,
    p_wg_peer_address ccp.interface default null,
    p_wg_preshared_key_sealed text default null,
    p_provider ccp.label default null,
    p_status ccp.activation default null,
    p_tunnel_type ccp.tunnel_type default null,
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
    p_nulls text[] default '{}',
    p_if_match text default null
)
returns api.egress_ip
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before ccp.egress_ips;
    v_type text;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_before := egress.find(p_id);
    v_type := coalesce(p_tunnel_type, v_before.tunnel_type);
    perform egress.check_secret(
        v_type, coalesce(p_proxy_config, v_before.proxy_config), p_proxy_secret_members, p_proxy_secret_keys,
        p_wg_private_key_sealed is not null
    );
    perform egress.edit(
        p_id,
        api.changes(
            jsonb_build_object(
                'label', p_label,
                'ip_address', p_ip_address,
                'wg_endpoint', p_wg_endpoint,
                'wg_public_key', p_wg_public_key,
                'wg_dns_server', p_wg_dns_server,
                'wg_peer_address', p_wg_peer_address,
                'wg_preshared_key_sealed', p_wg_preshared_key_sealed,
                'provider', p_provider,
                'status', p_status,
                'tunnel_type', p_tunnel_type,
                'wg_allowed_ips', p_wg_allowed_ips,
                'wg_mtu', p_wg_mtu,
                'proxy_config', p_proxy_config,
                'dns_server', p_dns_server,
                'secret_sealed', coalesce(p_proxy_secret_sealed, p_wg_private_key_sealed),
                'wg_own_public_key', p_wg_own_public_key,
                'ip_address6', p_ip_address6,
                'wg_peer_address6', p_wg_peer_address6
            ),
            egress.columns_removed(p_nulls, v_type)
        ),
        p_if_match
    );
    return api.egress_ip_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.egress_ip_update(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, text[], text
) from public;
grant execute on function api.egress_ip_update(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, text[], text
) to ccp_api;

comment on function api.egress_ip_update(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, text[], text
) is
'PATCH /v1/admin/egress-ips/{id}.';
