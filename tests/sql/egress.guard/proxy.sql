-- What a proxy exit may be: each type with what it needs, each member that is known, and what is refused by name.
begin;
select plan(101);

create schema t;
create function t.refusal(p_config jsonb, p_sealed boolean default true) returns text language plpgsql as $$
declare
    v_detail text;
begin
    perform egress.check_proxy(p_config, p_sealed);
    return 'taken';
exception
    when sqlstate 'CP422' then
        get stacked diagnostics v_detail = pg_exception_detail;
        if v_detail::jsonb #>> '{errors,0,field}' <> split_part(sqlerrm, ' ', 1) then
            return 'names another field: ' || v_detail;
        end if;
        return sqlerrm;
end
$$;
create function t.proxy(p_type text, p_more jsonb default '{}') returns jsonb language sql as $$
    select jsonb_strip_nulls(
        jsonb_build_object('type', p_type, 'server', '198.51.100.1', 'server_port', 443)
        || case when p_type = 'shadowsocks' then '{"method": "aes-256-gcm"}' else '{}' end::jsonb
        || case when p_type in ('trojan', 'hysteria2', 'tuic', 'anytls') then '{"tls": {}}' else '{}' end::jsonb
        || p_more
    )
$$;

-- Each type with what it needs, and without.
create temporary table types as select distinct part as type from ccp.proxy_fields where name = 'server';
select is((select count(*)::integer from types), 9, 'there are nine types');
select is(t.refusal(t.proxy(type)), 'taken', type || ' is taken') from types order by type;
select is(t.refusal(t.proxy(type) - 'server'), 'proxy_config.server is needed.', type || ' needs a server') from types order by type;
select is(
    t.refusal(t.proxy(type), false),
    case
        when type in ('socks', 'http') then 'taken'
        else format(
            'proxy_secret is needed: %s of a %s proxy.',
            case when type = 'tuic' then 'password, uuid' when type in ('vmess', 'vless') then 'uuid' else 'password' end, type
        )
    end, type || ' and its secret'
)
from types order by type;
select is(
    t.refusal(t.proxy(type) - 'tls'), 'proxy_config.tls is needed.', type || ' needs TLS'
)
from types where type in ('trojan', 'hysteria2', 'tuic', 'anytls') order by type;
select is(t.refusal(t.proxy('shadowsocks') - 'method'), 'proxy_config.method is needed.', 'shadowsocks needs a method');

-- What each may hold besides.
select is(t.refusal(t.proxy(c.type, c.more)), 'taken', c.type || ' takes ' || c.more)
from (
    values
        ('socks', jsonb '{"username": "u", "udp": false}'), ('http', '{"username": "u", "tls": {"server_name": "px.example"}}'),
        ('vmess', '{"security": "auto", "alter_id": 0, "transport": {"type": "ws", "path": "/p", "host": "h", "max_early_data": 2048}}'),
        ('vless', '{"flow": "xtls-rprx-vision", "tls": {"alpn": ["h2"]}}'), ('vless', '{"transport": {"type": "grpc", "service_name": "s"}}'),
        ('hysteria2', '{"obfs": "salamander", "server_ports": ["20000:30000"], "hop_interval": "30s", "up_mbps": 100}'),
        ('tuic', '{"congestion_control": "bbr", "udp_relay_mode": "native", "heartbeat": "10s"}'),
        ('trojan', '{"tls": {"certificate": "-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n", "min_version": "1.3"}}')
) as c (type, more);

-- What is refused, and how that is said.
select is(t.refusal(c.config), c.sentence || '.', c.sentence)
from (
    values
        (jsonb '{}', 'proxy_config.type must be one of anytls, http, hysteria2, shadowsocks, socks, trojan, tuic, vless, vmess'),
        ('{"type": "naive"}', 'proxy_config.type is not taken: it disguises the connection as a browser''s, which is not built here'),
        ('{"type": "direct"}', 'proxy_config.type is not taken: it is no exit: traffic would leave from this machine'),
        (t.proxy('socks', '{"colour": 1}'), 'proxy_config.colour is not known: proxy_config takes no such member'),
        (t.proxy('socks', '{"method": "aes-256-gcm"}'), 'proxy_config.method is not known: proxy_config takes no such member'),
        (t.proxy('socks', '{"password": "pw"}'), 'proxy_config.password is a secret: give it in proxy_secret, which is sealed'),
        (t.proxy('http', '{"detour": "x"}'), 'proxy_config.detour is not taken: an exit has one way out'),
        (t.proxy('shadowsocks', '{"plugin": "obfs-local"}'), 'proxy_config.plugin is not taken: plugins are not built here; ask the provider for a server without one'),
        (t.proxy('trojan', '{"tls": {"insecure": true}}'), 'proxy_config.tls.insecure is not taken: anybody could be the server; give certificate or certificate_public_key_sha256 in its place'),
        (t.proxy('trojan', '{"tls": {"utls": {}}}'), 'proxy_config.tls.utls is not taken: it disguises the connection as a browser''s, which is not built here'),
        (t.proxy('vless', '{"tls": {"reality": {}}}'), 'proxy_config.tls.reality is not taken: it disguises the server as another, which is not built here; ask the provider for TLS'),
        (t.proxy('vless', '{"tls": 1}'), 'proxy_config.tls must be an object: TLS around it'),
        (t.proxy('vless', '{"transport": {"type": "kcp"}}'), 'proxy_config.transport must be an object whose type is ws, http, grpc or httpupgrade'),
        (t.proxy('vless', '{"transport": {"type": "grpc", "path": "/"}}'), 'proxy_config.transport.path is not known: proxy_config.transport takes no such member'),
        (t.proxy('vless', '{"flow": "xtls-rprx-vision"}'), 'proxy_config.flow needs tls and no transport'),
        (t.proxy('vless', '{"flow": "xtls-rprx-vision", "tls": {}, "transport": {"type": "ws"}}'), 'proxy_config.flow needs tls and no transport'),
        (t.proxy('trojan', '{"tls": {"certificate": "-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----", "certificate_public_key_sha256": ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}}'), 'proxy_config.tls pins the key or names who signs it, not both: leave certificate or certificate_public_key_sha256 out'),
        (t.proxy('socks', '{"server_port": 0}'), 'proxy_config.server_port must be a whole number from 1 to 65535: its port'),
        (t.proxy('socks', '{"server_port": "443"}'), 'proxy_config.server_port must be a whole number from 1 to 65535: its port'),
        (t.proxy('socks', '{"udp": 1}'), 'proxy_config.udp must be true or false: false: the server takes no UDP'),
        (t.proxy('socks', '{"username": "a\u0007"}'), 'proxy_config.username must be a text without control characters'),
        (t.proxy('socks', '{"server": "px.example"}'), 'proxy_config.server must be an address: names are not looked up'),
        (t.proxy('socks', '{"server": "198.51.100.0/24"}'), 'proxy_config.server must be an address: names are not looked up'),
        (t.proxy('socks', '{"server": "10.1"}'), 'proxy_config.server must be an address: names are not looked up'),
        (t.proxy('socks', '{"server": " 10.1.2.3"}'), 'proxy_config.server must be an address: names are not looked up'),
        (t.proxy('socks', '{"server": "2001:db8::1%eth0"}'), 'proxy_config.server must be an address: names are not looked up'),
        (t.proxy('socks', '{"server": "224.0.0.1"}'), 'proxy_config.server must be another address: 224.0.0.1 is a multicast address'),
        (t.proxy('socks', '{"server": "127.0.0.1"}'), 'proxy_config.server must be another address: 127.0.0.1 is a loopback address'),
        (t.proxy('socks', '{"server": "::1"}'), 'proxy_config.server must be another address: ::1 is a loopback address'),
        (t.proxy('socks', '{"server": "0.0.0.0"}'), 'proxy_config.server must be another address: 0.0.0.0 is an address of the sender''s own network'),
        (t.proxy('socks', '{"server": "169.254.169.254"}'), 'proxy_config.server must be another address: 169.254.169.254 is a link-local address'),
        (t.proxy('socks', '{"server": "::ffff:127.0.0.1"}'), 'proxy_config.server must be another address: ::ffff:127.0.0.1 is an IPv4 address in another form')
) as c (config, sentence);
select is(
    t.refusal(t.proxy('shadowsocks', '{"method": "rc4-md5"}')) like 'proxy_config.method must be a text that matches %: an AEAD cipher; the stream ciphers of old%',
    true, 'stream ciphers are named'
);
select is(
    t.refusal(t.proxy('hysteria2', '{"server_ports": ["443"]}')) like 'proxy_config.server_ports must be a list of 1 to 16 texts%', true,
    'a list has its items'
);
select is(
    t.refusal(t.proxy('hysteria2', jsonb_build_object('server_ports', jsonb_build_array('443:443', c.ports)))),
    case
        when c.taken then 'taken'
        else 'proxy_config.server_ports must be ranges of ports such as 20000:30000, from 1 to 65535 and the lower one first.'
    end, 'ports ' || c.ports
)
from (
    values ('1:65535', true), ('443:443', true), ('99999:1', false), ('1:65536', false), ('0:1', false), ('2:1', false)
) as c (ports, taken);
select is(t.refusal(t.proxy('socks', '{"server": "10.1.2.3"}')), 'taken', 'a private address is another machine');
select is(
    t.refusal(t.proxy('hysteria2', '{"obfs": "salamander"}'), false), 'proxy_secret is needed: obfs_password, password of a hysteria2 proxy.',
    'obfs has a secret of its own'
);

-- Rows.
prepare proxy as insert into ccp.egress_ips (label, ip_address, tunnel_type, proxy_config, dns_server)
values ('px', '203.0.113.9', 'proxy', t.proxy('socks'), '198.51.100.53');
select lives_ok('proxy', 'a proxy exit is a row');
select throws_ok(
    $$update ccp.egress_ips set dns_server = null$$, 'CP422', 'dns_server is needed: the tunnel_type is proxy.', 'with a resolver'
);
select throws_ok(
    $$update ccp.egress_ips set dns_server = '2001:db8::1'$$, 'CP422', 'dns_server must be an IPv4 address: proxies carry no IPv6.', 'of IPv4'
);
select throws_ok(
    $$update ccp.egress_ips set wg_mtu = 1400$$, 'CP422', 'wg_mtu does not belong to an exit whose tunnel_type is proxy.',
    'and nothing of WireGuard'
);
select throws_ok(
    $$insert into ccp.egress_ips (label, ip_address) values ('wg', '203.0.113.9')$$, 'CP422',
    'wg_endpoint is needed: the tunnel_type is wireguard.', 'WireGuard has its own needs'
);
select throws_ok(
    $$
        insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address, dns_server)
        values ('wg', '203.0.113.9', '198.51.100.1:1', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.2/32', '198.51.100.53')
    $$, 'CP422', 'dns_server does not belong to an exit whose tunnel_type is wireguard.', 'and nothing of a proxy'
);
select egress.edit(id, jsonb_build_object('tunnel_type', 'wireguard', 'wg_endpoint', '198.51.100.1:1', 'wg_public_key', repeat('A', 43) || '=', 'wg_dns_server', '198.51.100.53', 'wg_peer_address', '10.9.0.2/32'))
from ccp.egress_ips \g /dev/null
select results_eq(
    'select tunnel_type::text, proxy_config::text, dns_server::inet, wg_allowed_ips::text from ccp.egress_ips',
    $$values ('wireguard', null::text, null::inet, '{0.0.0.0/0}')$$, 'an exit that becomes another leaves nothing of what it was'
);
select egress.edit(id, jsonb_build_object('tunnel_type', 'proxy', 'proxy_config', t.proxy('http'), 'dns_server', '198.51.100.53'))
from ccp.egress_ips \g /dev/null
select is(
    (select egress.describe(e) - array['egress_ip_id', 'label'] from ccp.egress_ips as e),
    jsonb_build_object(
        'ip_address', '203.0.113.9', 'tunnel_type', 'proxy', 'dns_server', '198.51.100.53', 'secret_sealed', null, 'proxy_config', t.proxy('http')
    ), 'agents are told a proxy and where it leads'
);

-- A key pair that a provider made.
select throws_ok(
    $$select egress.add(
        'own', '203.0.113.9', '198.51.100.1:1', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.2/32', p_wg_own_public_key => repeat('B', 43) || '='
    )$$, 'CP422', 'wg_own_public_key goes with its private key, in the sealed secret: give both or neither.', 'a key of our own has its private half'
);
select egress.add(
    'own', '203.0.113.9', '198.51.100.1:1', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.2/32', p_wg_own_public_key => repeat('B', 43) || '=',
    p_secret_sealed => repeat('C', 108)
) as own \gset
select results_eq(
    format(
        $$select egress.describe(e) ->> 'own_public_key', egress.describe(e) ->> 'secret_sealed' from ccp.egress_ips as e where e.id = %L$$, :'own'
    ), $$values (repeat('B', 43) || '=', repeat('C', 108))$$, 'which agents are told'
);
select throws_ok(
    $$select egress.add('x', '203.0.113.9', p_tunnel_type => 'proxy', p_proxy_config => t.proxy('vless'), p_dns_server => '198.51.100.53')$$,
    'CP422', 'proxy_secret is needed: uuid of a vless proxy.', 'a proxy is registered with its secret'
);
select egress.add(
    'px2', '203.0.113.10', p_tunnel_type => 'proxy', p_proxy_config => t.proxy('vless'), p_dns_server => '198.51.100.53',
    p_secret_sealed => repeat('D', 108)
) as vless \gset
select results_eq(
    format('select tunnel_type::text, has_secret, proxy_config ->> ''type'', dns_server::inet from api.egress_ip where id = %L', :'vless'),
    $$values ('proxy', true, 'vless', inet '198.51.100.53')$$, 'and shown without'
);
select throws_ok(
    format($$select egress.edit(%L, '{"secret_sealed": null}')$$, :'vless'), 'CP422', 'proxy_secret is needed: uuid of a vless proxy.',
    'which stays while it is needed'
);
select throws_ok(
    format($$select egress.edit(%L, '{"proxy_config": {"type": "vless", "server": "198.51.100.1", "server_port": 1, "uuid": "x"}}')$$, :'vless'), 'CP422',
    'proxy_config.uuid is a secret: give it in proxy_secret, which is sealed.', 'and in its place'
);
select throws_ok(
    format('select egress.edit(%L, jsonb_build_object(''proxy_config'', t.proxy(''trojan'')))', :'vless'), 'CP422',
    'proxy_secret is needed: password of a trojan proxy.', 'another type of proxy has another secret'
);
select throws_ok(
    format($$update ccp.egress_ips set secret_sealed = 'plain' where id = %L$$, :'vless'), '23514', null, 'sealed'
);
select process.register('ccp-agent', 'node1', 2, 'test') \g /dev/null
insert into ccp.users (username, short_id) values ('bea', 'bea001');
insert into ccp.hosts (short_id, user_id, node_id, image, wg_public_key) select 'ownkey', u.id, n.id, 'image', repeat('E', 43) || '='
from ccp.users as u, ccp.nodes as n where u.username = 'bea';
insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
select h.id, :'own', h.user_id, 'own', '203.0.113.9' from ccp.hosts as h where h.short_id = 'ownkey';
select results_eq(
    'select host_public_key::text from ccp.exit_peers', $$values (repeat('B', 43) || '=')$$, 'the provider knows the key that it made'
);
update ccp.bindings set egress_ip_id = :'vless';
select is_empty('select from ccp.exit_peers', 'a proxy has no peers');

select * from finish();
rollback;
