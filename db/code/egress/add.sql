-- An administrator registers an exit; returns its id. Secrets come sealed; only agents open them.
create or replace function egress.add(
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
    p_secret_sealed text default null,
    p_wg_own_public_key ccp.wg_key default null,
    p_ip_address6 ccp.address default null,
    p_wg_peer_address6 ccp.interface default null
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    insert into ccp.egress_ips (
        label, ip_address, provider, status, tunnel_type, wg_endpoint, wg_public_key, wg_preshared_key_sealed,
        wg_allowed_ips, wg_dns_server, wg_peer_address, wg_mtu, proxy_config, dns_server, secret_sealed, wg_own_public_key,
        ip_address6, wg_peer_address6
    )
    values (
        p_label, p_ip_address, p_provider, p_status, p_tunnel_type, p_wg_endpoint, p_wg_public_key,
        p_wg_preshared_key_sealed, p_wg_allowed_ips, p_wg_dns_server, p_wg_peer_address, p_wg_mtu, p_proxy_config, p_dns_server,
        p_secret_sealed, p_wg_own_public_key, p_ip_address6, p_wg_peer_address6
    )
    on conflict (label) do nothing
    returning id into v_id;
    if v_id is null then
        perform access.refuse('CP409', 'label_taken', format('There is already an exit %s.', p_label));
    end if;
    perform event.write(
        'admin.egress_ip.created', format('exit %s was registered', p_label), null, null, null,
        jsonb_build_object('egress_ip_id', v_id)
    );
    return v_id;
end
$$;

revoke all on function egress.add(
    ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label, ccp.activation,
    ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text, ccp.wg_key, ccp.address,
    ccp.interface
) from public;
grant execute on function egress.add(
    ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label, ccp.activation,
    ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text, ccp.wg_key, ccp.address,
    ccp.interface
) to ccp_admin;

comment on function egress.add(
    ccp.label, ccp.address, ccp.endpoint, ccp.wg_key, ccp.address, ccp.interface, text, ccp.label, ccp.activation,
    ccp.tunnel_type, ccp.networks, ccp.mtu, ccp.object, ccp.address, text, ccp.wg_key, ccp.address,
    ccp.interface
) is
'An administrator registers an exit; returns its id.';
