-- Networks that are not of the public internet, after IANA's registries of special-purpose addresses. Those for documentation and
-- benchmarks, which lead nowhere, are left out.
insert into pg_temp.refused_networks (network, description)
values
    ('0.0.0.0/8', 'an address of the sender''s own network'),
    ('10.0.0.0/8', 'a private address'),
    ('100.64.0.0/10', 'an address behind a provider''s NAT'),
    ('127.0.0.0/8', 'a loopback address'),
    ('169.254.0.0/16', 'a link-local address'),
    ('172.16.0.0/12', 'a private address'),
    ('192.0.0.0/24', 'an address for protocols'),
    ('192.168.0.0/16', 'a private address'),
    ('224.0.0.0/4', 'a multicast address'),
    ('240.0.0.0/4', 'a reserved address'),
    ('::/96', 'an IPv4 address in another form'),
    ('::1/128', 'a loopback address'),
    ('::ffff:0:0/96', 'an IPv4 address in another form'),
    ('64:ff9b::/96', 'an IPv4 address in another form'),
    ('64:ff9b:1::/48', 'an IPv4 address in another form'),
    ('2001::/32', 'an IPv4 address in another form'),
    ('2002::/16', 'an IPv4 address in another form'),
    ('fc00::/7', 'a private address'),
    ('fe80::/10', 'a link-local address'),
    ('fec0::/10', 'a private address'),
    ('ff00::/8', 'a multicast address');
