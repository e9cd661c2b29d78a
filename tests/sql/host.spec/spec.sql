-- What an agent is told of a host.
begin;
\ir ../hosts.psql
select plan(15);

select is(host.spec(gen_random_uuid()), null, 'of a host that does not exist nothing');
select is(
    host.spec(t.host()) - 'exit' - 'verify' - 'host_id' - 'user_id',
    '{"short_id": "abcdef", "username": "alice", "status": "stopped", "desired": "stopped", "wanted": "stopped",
      "image": "image", "image_id": null, "timezone": "UTC", "memory_limit_mb": 4096, "cpu_limit": 2, "pids_limit": 4096,
      "disk_limit_gb": null, "host_disk_gb": 20, "sudo": true, "ids": {"base": 2147287040, "owner": 2147418112, "engine": 2147446782}, "refusal": null,
      "tunnel": {"uid": 2147446782, "cpu_limit": 1.000, "memory_limit_mb": 256}, "switch_to": null, "switch_fallback": "back"}'::jsonb,
    'the container'
);
select is(
    host.spec(t.host()) -> 'exit',
    jsonb_build_object(
        'egress_ip_id', (select id from ccp.egress_ips), 'label', 'exit1', 'ip_address', '198.51.100.1',
        'tunnel_type', 'wireguard', 'wireguard_engine', 'auto', 'endpoint', '198.51.100.1:51820', 'public_key', repeat('A', 43) || '=', 'own_public_key', null,
        'preshared_key_sealed', null, 'secret_sealed', null, 'allowed_ips', array['0.0.0.0/0'], 'dns_server', '198.51.100.53',
        'peer_address', '10.9.0.2/32', 'peer_address6', null, 'ip_address6', null, 'mtu', null
    ),
    'its exit'
);
select is(
    host.spec(t.host()) -> 'verify',
    '{"light_s": 60, "full_s": 600, "proof_life_s": 900, "echo_urls": [], "connect_targets": [], "dns_check_zone": null}'::jsonb,
    'and how it is proven'
);
select setting.put('echo_urls', '["http://a", "http://b", "http://c"]') is null as done \gset
select is(host.spec(t.host()) #>> '{verify,echo_urls,2}', 'http://c', 'settings are read live');
update ccp.hosts set cpu_limit = 0.15;
select is(host.spec(t.host()) #> '{tunnel,cpu_limit}', '0.1', 'a tunnel gets half of its host''s time, but a tenth of a core');
select setting.put('tunnel_cpu_percent', '100') is null as done \gset
select is(host.spec(t.host()) #> '{tunnel,cpu_limit}', '0.150', 'or as much as the setting says');
update ccp.egress_ips set wg_peer_address = '10.9.0.2/24', wg_preshared_key_sealed = repeat('A', 108);
select is(host.spec(t.host()) #>> '{exit,peer_address}', '10.9.0.2/24', 'the inside address keeps its host bits');
select is(host.spec(t.host()) #>> '{exit,preshared_key_sealed}', repeat('A', 108), 'a preshared key comes sealed');
select t.run();
select is(host.spec(t.host()) ->> 'wanted', 'running', 'a host that was started is wanted running');
update ccp.users set expires_at = clock.now();
select is(host.spec(t.host()) ->> 'wanted', 'stopped', 'but not for an expired user');
select is(host.spec(t.host()) ->> 'desired', 'running', 'who still desires it');
update ccp.bindings set ended_at = clock.now();
select is(host.spec(t.host()) -> 'exit', 'null'::jsonb, 'without a live binding there is no exit');
select is(
    (select array_agg(k order by k) from jsonb_object_keys(host.spec(t.host())) as k)
    && '{ssh_password_hash,password_hash,wg_private_key}'::text[], false, 'it holds no password and no private key'
);
set session authorization ccp_worker;
select throws_ok($$select host.spec(gen_random_uuid())$$, '42501', null, 'only agents are told');
reset session authorization;

select * from finish();
rollback;
