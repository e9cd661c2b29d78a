-- Which exits can be tested, on which node, and what one request and the same again come to.
begin;
\ir ../hosts.psql
\ir ../people.psql
\ir ../second_host.psql
select plan(35);

create function t.exit(p_label text) returns uuid language sql security definer as $$
    select id from ccp.egress_ips where label = p_label
$$;
create function t.key() returns text language sql as $$ select repeat('S', 43) || '=' $$;
create function t.test(p_label text) returns uuid language sql as $$
    select (task.enqueue('egress.test', null, jsonb_build_object('egress_ip_id', t.exit(p_label)))).id
$$;
-- Where it lies: the node's name; null: nothing does.
create function t.place(p_label text) returns text language sql security definer as $$
    select n.name
    from ccp.task_rows as k
    join ccp.nodes as n on k.queue = 'ccp_agent_' || n.id
    where k.kind = 'egress.test' and k.params ->> 'egress_ip_id' = t.exit(p_label)::text and k.status = 'queued'
$$;
insert into ccp.egress_ips (label, ip_address, tunnel_type, proxy_config, dns_server)
values ('proxy', '198.51.100.3', 'proxy', '{"type": "socks", "server": "198.51.100.3", "server_port": 1080}', '198.51.100.53');
insert into ccp.egress_ips (
    label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address, wg_own_public_key, secret_sealed
)
select label, '198.51.100.4', '198.51.100.4:51820', t.key(), '198.51.100.53', '10.9.0.4/32', own, sealed
from (values ('own', t.key(), repeat('A', 60)), ('keyless', null, null)) as w (label, own, sealed);
select process.register('ccp-agent', 'node0', 3, 'test');

-- Which.
select throws_ok(
    $$select t.test('keyless')$$, 'CP409',
    'Exit keyless cannot be tested: its WireGuard key is made for each host; bind it to one, or give it a private key.',
    'a key that each host has is nobody''s without a host'
);
select throws_ok(
    $$select task.enqueue('egress.test', null, format('{"egress_ip_id": "%s"}', gen_random_uuid())::jsonb)$$, 'CP404', null,
    'an exit that is not there is none'
);
select throws_ok($$select task.enqueue('egress.test', null, '{"egress_ip_id": "x"}')$$, 'CP422', null, 'nor is a word');
select throws_ok($$select task.enqueue('egress.test')$$, 'CP404', null, 'nor nothing');
select throws_ok(
    format($$select task.enqueue('egress.test', %L, '{"egress_ip_id": "%s"}')$$, t.host(), t.exit('exit1')), 'CP422', null,
    'a host is not asked'
);
update ccp.hosts set wg_public_key = null where short_id = 'ghijkl';
select throws_ok(
    $$select t.test('exit2')$$, 'CP409', 'Host ghijkl, whose key exit exit2 knows, was never created.',
    'nor is one that has no key yet'
);
update ccp.hosts set wg_public_key = repeat('C', 43) || '=' where short_id = 'ghijkl';

-- Where.
update ccp.nodes set cordoned_at = clock.now() where name = 'node0';
select lives_ok($$select t.test('proxy')$$, 'a proxy is tested');
select is(t.place('proxy'), 'node1', 'by a node that is not cordoned');
update ccp.nodes set cordoned_at = null;
select lives_ok($$select t.test('own')$$, 'so is a WireGuard exit with a key of its own');
select is(t.place('own'), 'node0', 'by one that has less to do');
update ccp.processes set ended_at = clock.now(), end_reason = 'stopped' where program = 'ccp-agent' and node_id = (select id from ccp.nodes where name = 'node1');
select lives_ok($$select t.test('exit1')$$, 'one that is bound');
select is(t.place('exit1'), 'node1', 'by its host''s node, which has the key, even while its agent is away');
select is(
    (select count(*)::integer from ccp.task_rows where kind = 'egress.test' and host_id is null and user_id is null), 3,
    'none of them holds a host'
);

-- Once.
select is(t.test('own'), (select id from ccp.exit_tests where egress_ip_id = t.exit('own')), 'the same again is the same test');
update ccp.processes set ended_at = clock.now(), end_reason = 'stopped' where program = 'ccp-agent' and ended_at is null;
select throws_ok(
    format($$select task.enqueue('egress.test', null, '{"egress_ip_id": "%s"}')$$, t.exit('proxy')), 'CP409', 'no agent runs that could test an exit',
    'without an agent there is no test'
);
select process.register('ccp-agent', 'node1', 4, 'test');
select results_eq(
    format(
        $$select t.id = k.id, n.name, t.outcome::text, t.expected_ip, t.created_at = k.created_at, t.ended_at
        from ccp.exit_tests as t
        join ccp.task_rows as k on k.id = t.id
        join ccp.nodes as n on n.id = t.node_id
        where t.egress_ip_id = %L$$,
        t.exit('own')
    ),
    $$values (true, 'node0', null::text, '198.51.100.4'::inet, true, null::timestamptz)$$, 'a test is noted as it is asked for'
);

-- By HTTP.
select throws_ok($$select api.egress_ip_test(t.login('bobby'), 1, t.exit('own'))$$, 'CP403', null, 'only admins ask');
create temporary table asked as
select api.egress_ip_test(t.login('boss'), 1, t.exit('proxy'), 'k1', repeat('a', 64)) as task;
select is(
    (task).status_url, '/v1/admin/tasks/' || (select id from ccp.exit_tests where egress_ip_id = t.exit('proxy')), 'a task answers'
)
from asked;
select is(
    t.last_event(), format('info | admin.egress_ip.tested | a test of exit proxy was asked for | egress.test | {"egress_ip_id": "%s"}', t.exit('proxy')),
    'the audit log has who asked'
);
select is(
    api.egress_ip_test(t.login('boss'), 1, t.exit('proxy'), 'k1', repeat('a', 64)), (select task from asked), 'the same request again is the same'
);
select is(api.egress_ip_test(t.login('boss'), 1, t.exit('proxy'), 'k2', repeat('a', 64)), (select task from asked), 'so is another while it lives');
select is((select count(*)::integer from ccp.events where type = 'admin.egress_ip.tested'), 1, 'told once');
select throws_ok($$select api.egress_ip_test(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', null, 'an exit that is not there');
select throws_ok($$select api.egress_ip_test_list(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', null, 'has no tests either');
select throws_ok($$select api.egress_ip_test_list(t.login('bobby'), 1, t.exit('own'))$$, 'CP403', null, 'which only admins read');

-- What the agent is told.
create function t.spec(p_label text, p_member text) returns text language sql as $$
    select egress.test_spec(t.agent(), t.exit(p_label)) #>> string_to_array(p_member, '.')
$$;
select is(t.spec('exit1', 'host_id'), t.host()::text, 'the host whose key it is');
select is(t.spec('own', 'host_id'), null, 'none where the exit has its own');
select is(
    (select array_agg(jsonb_object_keys order by 1) from jsonb_object_keys(egress.test_spec(t.agent(), t.exit('proxy')) -> 'exit')),
    (select array_agg(jsonb_object_keys order by 1) from ccp.egress_ips as e, jsonb_object_keys(egress.describe(e)) where e.label = 'proxy'),
    'the exit, as in a host''s spec'
);
select is(t.spec('own', 'verify'), (host.spec(t.host()) -> 'verify')::text, 'what is verified, as of a host');
select is(t.spec('own', 'refusal'), null, 'nothing speaks against it');
update ccp.nodes set taken_ids = '{[2147475459,2147475459]}' where name = 'node1';
select matches(t.spec('own', 'refusal'), '^some of the user ids 2147475452 to 2147475459, .* belong to an account on node1', 'but an account');
select is(egress.test_spec(t.agent(), gen_random_uuid()), null, 'an exit that is gone has none');

-- A key of the exit's own, and a binding that has ended.
update ccp.hosts set wg_public_key = null where short_id = 'ghijkl';
update ccp.egress_ips set wg_own_public_key = t.key(), secret_sealed = repeat('A', 60) where label = 'exit2';
select lives_ok($$select t.test('exit2')$$, 'a key of the exit''s own needs none of its host');
update ccp.egress_ips set wg_own_public_key = null, secret_sealed = null where label = 'exit2';
update ccp.bindings set ended_at = clock.now() where egress_ip_id = t.exit('exit2') and ended_at is null;
select is(t.spec('exit2', 'host_id'), null, 'a host that was bound lends nothing');
select throws_ok(
    $$select t.test('exit2')$$, 'CP409',
    'Exit exit2 cannot be tested: its WireGuard key is made for each host; bind it to one, or give it a private key.', 'nor its key'
);
select * from finish();
rollback;
