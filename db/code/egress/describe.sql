-- An exit as agents are told it: how to get there, whom to ask for names, and its secrets, sealed.
create or replace function egress.describe(p_exit ccp.egress_ips)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'egress_ip_id', p_exit.id,
        'label', p_exit.label,
        'ip_address', host(p_exit.ip_address),
        'tunnel_type', p_exit.tunnel_type,
        'dns_server', host(coalesce(p_exit.dns_server, p_exit.wg_dns_server)),
        'secret_sealed', p_exit.secret_sealed
    ) || case p_exit.tunnel_type
        when 'wireguard' then jsonb_build_object(
            'wireguard_engine', setting.get('wireguard_engine'),
            'endpoint', p_exit.wg_endpoint,
            'public_key', p_exit.wg_public_key,
            'own_public_key', p_exit.wg_own_public_key,
            'preshared_key_sealed', p_exit.wg_preshared_key_sealed,
            'allowed_ips', to_jsonb(p_exit.wg_allowed_ips),
            'peer_address', p_exit.wg_peer_address::text,
            'peer_address6', p_exit.wg_peer_address6::text,
            'ip_address6', host(p_exit.ip_address6),
            'mtu', p_exit.wg_mtu
        )
        else jsonb_build_object('proxy_config', p_exit.proxy_config)
    end
$$;

revoke all on function egress.describe(ccp.egress_ips) from public;

comment on function egress.describe(ccp.egress_ips) is
'An exit as agents are told it.';
