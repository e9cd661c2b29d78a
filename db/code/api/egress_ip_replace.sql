-- PUT /v1/admin/egress-ips/{id}: what is absent becomes what it is at first. The preshared key is never shown, so a
-- client that knows all but that can write the exit back: an absent key stays, null removes it.
create or replace function api.egress_ip_replace(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_label ccp.label,
    p_ip_address ccp.address,
    p_wg_endpoint ccp.endpoint,
    p_wg_public_key ccp.wg_key,
    p_wg_dns_server ccp.address,
    p_wg_peer_address ccp.interface,
    p_wg_preshared_key_sealed text default null,
    p_provider ccp.label default null,
    p_status ccp.activation default 'active',
    p_tunnel_type ccp.tunnel_type default 'wireguard',
    p_wg_allowed_ips ccp.networks default '{0.0.0.0/0}',
    p_wg_mtu ccp.mtu default 1420,
    p_nulls text[] default '{}',
    p_if_match text default null
)
returns api.egress_ip
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return api.egress_ip_update(
        p_login_id, p_generation, p_id,
        p_label => p_label,
        p_ip_address => p_ip_address,
        p_wg_endpoint => p_wg_endpoint,
        p_wg_public_key => p_wg_public_key,
        p_wg_dns_server => p_wg_dns_server,
        p_wg_peer_address => p_wg_peer_address,
        p_wg_preshared_key_sealed => p_wg_preshared_key_sealed,
        p_provider => p_provider,
        p_status => p_status,
        p_tunnel_type => p_tunnel_type,
        p_wg_allowed_ips => p_wg_allowed_ips,
        p_wg_mtu => p_wg_mtu,
        p_nulls => p_nulls || case when p_provider is null then '{provider}'::text[] else '{}' end,
        p_if_match => p_if_match
    );
end
$$;

revoke all on function api.egress_ip_replace(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, text[], text
) from public;
grant execute on function api.egress_ip_replace(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, text[], text
) to ccp_api;

comment on function api.egress_ip_replace(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, text[], text
) is
'PUT /v1/admin/egress-ips/{id}.';
