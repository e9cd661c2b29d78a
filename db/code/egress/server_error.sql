-- What the address of a proxy's server must be and is not, as the end of "it must be ..."; null if it fits. It leads out of this
-- machine: the engine's door to it would else be a door to what listens here.
create or replace function egress.server_error(p_server text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when not setting.is_network(p_server) or p_server like '%/%' then 'an address: names are not looked up'
        else (
            select format('another address: %s is %s', p_server, r.description)
            from ccp.refused_networks as r
            where p_server::inet <<= r.network
                and r.description in (
                    'a loopback address', 'a link-local address', 'a multicast address', 'a reserved address',
                    'an address of the sender''s own network', 'an IPv4 address in another form'
                )
            order by masklen(r.network) desc
            limit 1
        )
    end
$$;

revoke all on function egress.server_error(text) from public;

comment on function egress.server_error(text) is
'What the address of a proxy''s server must be and is not; null if it fits.';
