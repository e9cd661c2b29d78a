-- An exit that says something of IPv6 says all of it. Raises for the first field that is wrong.
create or replace function egress.check_ipv6(p_exit ccp.egress_ips)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_exit.tunnel_type = 'proxy' then
        perform api.bad_field('ip_address6', 'must be absent: proxies carry no IPv6 here, a host behind one has none');
    end if;
    if p_exit.ip_address6 is null then
        perform api.bad_field('ip_address6', 'is needed: wg_peer_address6 is given, and what the world must see is never learnt');
    end if;
    if p_exit.wg_peer_address6 is null then
        perform api.bad_field('wg_peer_address6', 'is needed: ip_address6 is given');
    end if;
    if (p_exit.ip_address6 << '2000::/3') is not true then
        perform api.bad_field('ip_address6', 'must be an IPv6 address of the public internet, which begins with 2 or 3');
    end if;
    if family(p_exit.wg_peer_address6) <> 6 then
        perform api.bad_field('wg_peer_address6', 'must be an IPv6 address');
    end if;
    if p_exit.wg_peer_address6 << any ('{::/8,fe80::/10,ff00::/8}'::inet[]) then
        perform api.bad_field('wg_peer_address6', 'is not an address that a tunnel can have');
    end if;
    if family(p_exit.ip_address) <> 4 then
        perform api.bad_field('ip_address', 'must be an IPv4 address: the IPv6 one is ip_address6');
    end if;
    if family(p_exit.wg_peer_address) <> 4 then
        perform api.bad_field('wg_peer_address', 'must be an IPv4 address: the IPv6 one is wg_peer_address6');
    end if;
    if not '::/0' = any (p_exit.wg_allowed_ips) then
        perform api.bad_field('wg_allowed_ips', 'must hold ::/0: the exit has an ip_address6');
    end if;
end
$$;

revoke all on function egress.check_ipv6(ccp.egress_ips) from public;

comment on function egress.check_ipv6(ccp.egress_ips) is
'An exit that says something of IPv6 says all of it.';
