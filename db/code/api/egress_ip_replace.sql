-- PUT /v1/admin/egress-ips/{id}: what is absent becomes what it is at first. Secrets are never shown, so a client
-- that knows all but them can write the exit back: an absent one stays, null removes it.
create or replace function api.egress_ip_replace(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
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
    p_nulls text[] default '{}',
    p_if_match text default null
)
returns api.egress_ip
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- what the trigger would make of null, so that what changes nothing is no change
    v_allowed constant ccp.networks := coalesce(
        p_wg_allowed_ips,
        case
            when p_tunnel_type <> 'wireguard' then null
            when p_ip_address6 is null then '{0.0.0.0/0}'
            else '{0.0.0.0/0,::/0}'
        end::ccp.networks
    );
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
        p_wg_allowed_ips => v_allowed,
        p_wg_mtu => p_wg_mtu,
        p_proxy_config => p_proxy_config,
        p_dns_server => p_dns_server,
        p_proxy_secret_sealed => p_proxy_secret_sealed,
        p_proxy_secret_members => p_proxy_secret_members,
        p_proxy_secret_keys => p_proxy_secret_keys,
        p_wg_private_key_sealed => p_wg_private_key_sealed,
        p_wg_own_public_key => p_wg_own_public_key,
        p_ip_address6 => p_ip_address6,
        p_wg_peer_address6 => p_wg_peer_address6,
        p_nulls => p_nulls || array(
            select f.name
            from (
                values
                    ('provider', p_provider is null), ('wg_endpoint', p_wg_endpoint is null),
                    ('wg_public_key', p_wg_public_key is null), ('wg_dns_server', p_wg_dns_server is null),
                    ('wg_peer_address', p_wg_peer_address is null), ('wg_allowed_ips', v_allowed is null),
                    ('wg_mtu', p_wg_mtu is null), ('proxy_config', p_proxy_config is null), ('dns_server', p_dns_server is null),
                    ('ip_address6', p_ip_address6 is null), ('wg_peer_address6', p_wg_peer_address6 is null)
            ) as f (name, is_absent)
            where f.is_absent
        ),
        p_if_match => p_if_match
    );
end
$$;

revoke all on function api.egress_ip_replace(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, text[], text
) from public;
grant execute on function api.egress_ip_replace(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, text[], text
) to ccp_api;

comment on function api.egress_ip_replace(
    uuid, integer, uuid, ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label,
    ccp.activation, ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text,
    text[], integer[], text, ccp.wg_key, ccp.address, ccp.interface, text[], text
) is
'PUT /v1/admin/egress-ips/{id}.';
