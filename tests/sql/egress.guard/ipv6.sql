-- An exit says all of its IPv6 side or nothing, and a proxy has none.
begin;
select plan(19);

create schema t;
create function t.refusal(p_change jsonb) returns text language plpgsql as $$
begin
    perform egress.edit((select id from ccp.egress_ips where label = 'six'), p_change);
    return 'taken';
exception
    when sqlstate 'CP422' then
        return sqlerrm;
end
$$;
insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address)
values ('six', '198.51.100.7', '198.51.100.7:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.2/32');
select is(wg_allowed_ips::text, '{0.0.0.0/0}', 'an exit without IPv6 carries none') from ccp.egress_ips where label = 'six';
select ok(egress.describe(e) @> '{"ip_address6": null, "peer_address6": null}', 'and agents are told so') from ccp.egress_ips as e where label = 'six';

select is(t.refusal(c.change), c.message, c.message)
from (
    values
        ('{"ip_address6": "2001:db8::7"}'::jsonb, 'wg_peer_address6 is needed: ip_address6 is given.'),
        (
            '{"wg_peer_address6": "fd00::2/128"}',
            'ip_address6 is needed: wg_peer_address6 is given, and what the world must see is never learnt.'
        ),
        (
            '{"ip_address6": "2001:db8::7", "wg_peer_address6": "fd00::2/128"}',
            'wg_allowed_ips must hold ::/0: the exit has an ip_address6.'
        )
) as c (change, message);
select is(
    t.refusal(jsonb_build_object('ip_address6', c.seen, 'wg_peer_address6', 'fd00::2', 'wg_allowed_ips', array['0.0.0.0/0', '::/0'])),
    'ip_address6 must be an IPv6 address of the public internet, which begins with 2 or 3.', 'the world cannot see ' || c.seen
)
from unnest(array['fd00::7', 'fe80::7', 'ff02::1', '::1', '::ffff:198.51.100.7', '64:ff9b::1', '198.51.100.7']) as c (seen);
select is(
    t.refusal(jsonb_build_object('ip_address6', '2001:db8::7', 'wg_peer_address6', c.own, 'wg_allowed_ips', array['0.0.0.0/0', '::/0'])),
    'wg_peer_address6 ' || c.message, 'a tunnel cannot have ' || c.own
)
from (
    values ('fe80::2/64', 'is not an address that a tunnel can have.'), ('::1', 'is not an address that a tunnel can have.'),
    ('10.9.0.3', 'must be an IPv6 address.')
) as c (own, message);
select is(
    t.refusal('{"ip_address6": "2001:db8::7", "wg_peer_address6": "fd00::2/128", "wg_allowed_ips": ["0.0.0.0/0", "::/0"]}'), 'taken',
    'a whole one is taken'
);
select ok(
    egress.describe(e) @> '{"ip_address6": "2001:db8::7", "peer_address6": "fd00::2/128"}', 'and agents are told it'
)
from ccp.egress_ips as e
where label = 'six';
select throws_ok(
    $$
        insert into ccp.egress_ips (label, ip_address, ip_address6, tunnel_type, proxy_config, dns_server)
        values (
            'p', '198.51.100.7', '2001:db8::7', 'proxy', '{"type": "socks", "server": "198.51.100.1", "server_port": 1080}',
            '198.51.100.53'
        )
    $$,
    'CP422', 'ip_address6 must be absent: proxies carry no IPv6 here, a host behind one has none.', 'a proxy cannot have it'
);
insert into ccp.egress_ips (label, ip_address, ip_address6, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address, wg_peer_address6)
values (
    'seven', '198.51.100.7', '2001:db8::7', '198.51.100.7:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.2/32', 'fd00::2/128'
);
select is(wg_allowed_ips::text, '{0.0.0.0/0,::/0}', 'an exit with IPv6 carries both when nothing else is said')
from ccp.egress_ips
where label = 'seven';

select * from finish();
rollback;
