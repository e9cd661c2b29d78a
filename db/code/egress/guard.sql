-- Trigger: an exit is whole, and a proxy's configuration holds what ccp.proxy_fields allows and nothing else, from every role.
-- Names the first field that is wrong.
create or replace function egress.guard()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row jsonb := to_jsonb(new);
    v_field text;
begin
    if new.tunnel_type = 'wireguard' then
        new.wg_allowed_ips := coalesce(
            new.wg_allowed_ips, case when new.ip_address6 is null then '{0.0.0.0/0}' else '{0.0.0.0/0,::/0}' end::ccp.networks
        );
        v_row := to_jsonb(new);
    end if;
    select f.name
    into v_field
    from (
        values
            ('wireguard', 'wg_endpoint'), ('wireguard', 'wg_public_key'), ('wireguard', 'wg_dns_server'),
            ('wireguard', 'wg_peer_address'), ('proxy', 'proxy_config'), ('proxy', 'dns_server')
    ) as f (type, name)
    where f.type = new.tunnel_type
        and v_row ->> f.name is null
    limit 1;
    if found then
        perform api.bad_field(v_field, format('is needed: the tunnel_type is %s', new.tunnel_type));
    end if;
    select r.key
    into v_field
    from jsonb_each_text(v_row) as r
    where r.value is not null
        and (
            (new.tunnel_type = 'wireguard' and r.key in ('proxy_config', 'dns_server'))
            or (new.tunnel_type = 'proxy' and starts_with(r.key, 'wg_'))
        )
    order by r.key
    limit 1;
    if found then
        perform api.bad_field(
            case v_field when 'wg_preshared_key_sealed' then 'wg_preshared_key' else v_field end,
            format('does not belong to an exit whose tunnel_type is %s', new.tunnel_type)
        );
    end if;
    if new.tunnel_type = 'wireguard' and (new.wg_own_public_key is null) <> (new.secret_sealed is null) then
        perform api.bad_field('wg_own_public_key', 'goes with its private key, in the sealed secret: give both or neither');
    end if;
    if new.ip_address6 is not null or new.wg_peer_address6 is not null then
        perform egress.check_ipv6(new);
    end if;
    if new.tunnel_type = 'proxy' then
        perform egress.check_proxy(new.proxy_config, new.secret_sealed is not null);
        if family(new.dns_server) <> 4 then
            perform api.bad_field('dns_server', 'must be an IPv4 address: proxies carry no IPv6');
        end if;
    end if;
    return new;
end
$$;

revoke all on function egress.guard() from public;

comment on function egress.guard() is
'Trigger: an exit is whole, and its proxy''s configuration holds nothing but what is allowed.';
