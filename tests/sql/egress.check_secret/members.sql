-- Which secrets go with an exit, and which columns a null removes.
begin;
select plan(40);

create schema t;
create function t.refusal(
    p_type text, p_config jsonb, p_members text[], p_own_key boolean default false, p_keys integer[] default null
)
returns text language plpgsql as $$
begin
    perform egress.check_secret(p_type, p_config, p_members, p_keys, p_own_key);
    return 'taken';
exception
    when sqlstate 'CP422' then
        return sqlerrm;
end
$$;
create temporary table secrets (type text, needed text[]);
insert into secrets
values
    ('socks', '{}'), ('http', '{}'), ('shadowsocks', '{password}'), ('vmess', '{uuid}'), ('vless', '{uuid}'), ('trojan', '{password}'),
    ('hysteria2', '{password}'), ('tuic', '{password,uuid}'), ('anytls', '{password}');
select is(t.refusal('proxy', jsonb_build_object('type', type), needed), 'taken', type || ' takes what it needs') from secrets order by type;
select is(
    t.refusal('proxy', jsonb_build_object('type', type), '{}'),
    case
        when needed = '{}' then 'taken'
        else format('proxy_secret.%s is needed: the secret of a %s proxy is given as a whole.', needed[1], type)
    end,
    type || ' needs it'
)
from secrets order by type;
select is(
    t.refusal('proxy', '{"type": "vmess"}', '{uuid,password}'),
    'proxy_secret.password is not known: the secret of a vmess proxy has uuid.', 'and nothing else'
);
select is(t.refusal('proxy', '{"type": "hysteria2"}', '{password,obfs_password}'), 'taken', 'hysteria2 takes one more');
select is(
    t.refusal('proxy', '{"type": "hysteria2", "obfs": "salamander"}', '{password}'),
    'proxy_secret.obfs_password is needed: the secret of a hysteria2 proxy is given as a whole.', 'which obfs needs'
);
select is(t.refusal('proxy', '{"type": "naive"}', '{x}'), 'taken', 'another check says that a type is none');
select is(
    t.refusal('wireguard', null, '{password}'), 'proxy_secret does not belong to an exit whose tunnel_type is wireguard.',
    'WireGuard has no secret of a proxy'
);
select is(t.refusal('wireguard', null, null, true), 'taken', 'but a key of its own');
select is(
    t.refusal('proxy', '{"type": "socks"}', null, true),
    'wg_private_key does not belong to an exit whose tunnel_type is proxy.', 'which a proxy has not'
);

-- Shadowsocks of 2022 has keys in the place of a password.
select is(
    t.refusal('proxy', jsonb_build_object('type', 'shadowsocks', 'method', c.method), '{password}', p_keys => c.keys), c.sentence,
    format('%s with %s', c.method, coalesce(c.keys::text, 'a word'))
)
from (
    values
        ('aes-256-gcm', null::integer[], 'taken'),
        ('aes-256-gcm', '{16}', 'taken'),
        ('2022-blake3-aes-128-gcm', '{16,16}', 'taken'),
        ('2022-blake3-chacha20-poly1305', '{32}', 'taken'),
        ('2022-blake3-aes-128-gcm', null, 'proxy_secret.password must be a key of 16 bytes in base64, with its padding, or up to 8 of them with a colon between: the relays'' and the user''s.'),
        ('2022-blake3-aes-128-gcm', '{16,32}', 'proxy_secret.password must be a key of 16 bytes in base64, with its padding, or up to 8 of them with a colon between: the relays'' and the user''s.'),
        ('2022-blake3-aes-256-gcm', '{16}', 'proxy_secret.password must be a key of 32 bytes in base64, with its padding, or up to 8 of them with a colon between: the relays'' and the user''s.'),
        ('2022-blake3-chacha20-poly1305', '{32,32}', 'proxy_secret.password must be a key of 32 bytes in base64, with its padding.')
) as c (method, keys, sentence);
select is(
    t.refusal('proxy', '{"type": "shadowsocks", "method": "2022-blake3-aes-128-gcm"}', null), 'taken', 'a secret that is not given stays'
);

select is(egress.columns_removed('{provider,wg_preshared_key}', 'wireguard'), '{provider,wg_preshared_key_sealed}', 'a null removes a column');
select is(egress.columns_removed('{wg_private_key}', 'wireguard'), '{wg_own_public_key,secret_sealed}', 'a key goes with its public half');
select is(egress.columns_removed('{proxy_secret}', 'proxy'), '{secret_sealed}', 'a secret goes');
select is(egress.columns_removed('{proxy_secret}', 'wireguard'), '{}', 'not that of another type of tunnel');
select is(egress.columns_removed('{wg_private_key}', 'proxy'), '{}', 'nor the other way round');
select is(egress.columns_removed(null, 'proxy'), '{}', 'without nulls nothing goes');

select * from finish();
rollback;
