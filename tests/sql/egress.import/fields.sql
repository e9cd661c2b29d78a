-- What is read of a text becomes an exit: what the request says goes before, what nobody says is assumed with a warning.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(34);

create function t.read(p_more jsonb default '{}', p_server text default '198.51.100.7') returns jsonb language sql as $$
    select jsonb_build_object(
        'label', 'home', 'secrets', '[]'::jsonb, 'warnings', '[{"word": "no_udp", "message": "m"}]'::jsonb,
        'proxy_config', jsonb_build_object('type', 'http', 'server', p_server, 'server_port', 8080)
    ) || p_more
$$;
create function t.wg(p_more jsonb default '{}', p_endpoint text default '198.51.100.1:51820') returns jsonb language sql as $$
    select jsonb_build_object(
        'label', 'home', 'secrets', '["private_key"]'::jsonb, 'secret_sealed', repeat('A', 60),
        'warnings', case
            when p_endpoint like 'px%' then '[{"word": "server_is_a_name", "message": "m"}, {"word": "x", "message": "m"}]'
            else '[]'
        end::jsonb,
        'row', jsonb_build_object(
            'tunnel_type', 'wireguard', 'wg_endpoint', p_endpoint, 'wg_public_key', repeat('A', 43) || '=',
            'wg_own_public_key', repeat('B', 43) || '=', 'wg_allowed_ips', array['0.0.0.0/0'], 'wg_peer_address', '10.66.0.2/32',
            'wg_dns_server', '198.51.100.53'
        )
    ) || p_more
$$;
create function t.field(p_read jsonb, p_name text) returns text language sql as $$
    select (egress.import_fields(p_read)).fields #>> string_to_array(p_name, '.')
$$;
create function t.words(p_read jsonb) returns text[] language sql as $$
    select array(select w ->> 'word' from jsonb_array_elements((egress.import_fields(p_read)).warnings) as w)
$$;
create function t.refusals(p_read jsonb) returns text[] language sql as $$
    select array(select f.field || ' ' || f.message from unnest(egress.import_refusals(p_read)) as f)
$$;

select is(t.field(t.read(), 'tunnel_type'), 'proxy', 'a link is a proxy');
select is(t.field(t.read(), 'label'), 'home', 'called as the text calls it');
select is(t.field(t.read('{"label": "x"}'), 'label'), 'x', 'or the request');
select is(t.field(t.read(), 'ip_address'), '198.51.100.7', 'the world sees its server');
select is(t.field(t.read(), 'dns_server'), '9.9.9.9', 'the setting names its resolver');
select is(t.words(t.read()), '{no_udp,ip_address_assumed,dns_server_assumed}', 'both with a warning');
select is(t.words(t.read('{"ip_address": "203.0.113.9", "dns_server": "203.0.113.53"}')), '{no_udp}', 'or the request says so');
select is(t.field(t.read('{"ip_address": "203.0.113.9"}'), 'ip_address'), '203.0.113.9', 'the address');
select is(t.field(t.read('{"dns_server": "203.0.113.53"}'), 'dns_server'), '203.0.113.53', 'and the resolver');
select is(t.field(t.read('{"server": "203.0.113.1"}', 'px.example'), 'proxy_config.server'), '203.0.113.1', 'a name is replaced');
select is(t.field(t.read(p_server => 'px.example'), 'ip_address'), null, 'and gives no address');
select ok((egress.import_fields(t.read(p_server => 'px.example'))).is_named, 'by itself');
select ok(not (egress.import_fields(t.read(p_server => '2001:db8::1'))).is_named, 'an address of IPv6 is no name');

select is(t.field(t.wg(), 'wg_dns_server'), '198.51.100.53', 'a file names its resolver');
select is(t.words(t.wg()), '{ip_address_assumed}', 'of which nothing is said');
select is(t.field(t.wg('{"dns_server": "198.51.100.54"}'), 'wg_dns_server'), '198.51.100.54', 'unless the request names one');
select is(
    t.field(t.wg('{"wg_peer_address6": "fd00::2/128", "ip_address6": "2001:db8::9"}'), 'wg_peer_address6'), 'fd00::2/128',
    'what a file says of IPv6 is taken with the address that the world must see'
);
select is(t.field(t.wg('{"wg_peer_address6": "fd00::2/128", "ip_address6": "2001:db8::9"}'), 'wg_allowed_ips.1'), '::/0', 'and routed');
select is(
    t.words(t.wg('{"ip_address": "203.0.113.9", "ip_address6": "2001:db8::9", "warnings": [{"word": "ipv6_ignored", "message": "m"}]}')),
    '{}', 'of which nothing is said'
);
select is(t.field(t.wg('{"wg_peer_address6": "fd00::2/128"}'), 'wg_peer_address6'), null, 'and left out without it');
select is(t.field(t.wg(), 'dns_server'), null, 'which is not a proxy''s');
select is(t.field(t.wg(p_endpoint => '[2001:db8::1]:51820'), 'ip_address'), '2001:db8::1', 'its endpoint has brackets');
select is(t.field(t.wg('{"server": "2001:db8::1"}', 'px.example:7'), 'wg_endpoint'), '[2001:db8::1]:7', 'and keeps its port');
select is(t.words(t.wg('{"server": "198.51.100.2"}', 'px.example:7')), '{x,ip_address_assumed}', 'a name that is replaced is no warning');

select is(t.refusals('{"refusal": {"field": "text", "message": "it is none"}}'), '{"text it is none"}', 'what was refused is a refusal');
select is(t.refusals(t.read()), '{}', 'what can be saved has none');
select is(t.refusals(t.wg()), '{}', 'nor has a file');
select is(
    t.refusals(t.read('{"server": "127.0.0.1"}')), '{"proxy_config.server must be another address: 127.0.0.1 is a loopback address"}',
    'what the exit refuses is one'
);
select is(t.refusals(t.read(p_server => 'px.example')), '{}', 'a name is a warning');
select is((select count(*)::integer from ccp.egress_ips where label = 'home'), 0, 'a preview writes nothing');
select throws_ok(
    $$select egress.import(t.read(p_server => 'px.example'))$$, 'CP422',
    'server must be given: the text has a name, which is not looked up; give the address that it has.', 'but is not saved'
);
select is(
    t.refusals(t.wg('{"ip_address6": "2001:db8::9"}')), '{"wg_peer_address6 is needed: ip_address6 is given"}',
    'an address that no tunnel has one for is refused'
);
select isnt(egress.import(t.wg()), null, 'what can be saved is');
select is(t.refusals(t.read()), '{"label There is already an exit home."}', 'and its label taken');

select * from finish();
rollback;
