-- What the first page of an administrator counts.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(4);

create function t.stats() returns jsonb language sql as $$ select to_jsonb(api.dashboard_stats(t.login('boss'), 1)) $$;
select is(
    t.stats(),
    '{"active_users": 3, "running_hosts": 0, "wanted_hosts": 0, "unavailable_hosts": 0, "failed_hosts": 0, "available_ips": 0,
    "bound_ips": 1, "degraded_ips": 0, "down_ips": 0, "open_sessions": 0, "queued_tasks": 0, "running_tasks": 0}'::jsonb, 'one of each at rest'
);
select t.run();
select t.ask('host.stop');
select t.claim();
select task.enqueue('system.noop');
insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address, status)
select 'exit' || n, '198.51.100.2', '198.51.100.2:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.3/32', s
from (values (2, 'active'), (3, 'disabled')) as e (n, s);
insert into ccp.sessions (user_id, host_id, process_id, method, address, ended_at, end_reason)
select t.user('alice'), t.host(), t.agent(), 'key', '192.0.2.1', s.ended_at, case when s.ended_at is not null then 'closed' end
from unnest(array[null, clock.now()]) as s (ended_at);
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, deleted_at)
select s || 'one', h.user_id, h.node_id, 'image', s, case s when 'deleted' then 'absent' else 'running' end, case s when 'deleted' then clock.now() end
from ccp.hosts as h, unnest(array['running', 'unavailable', 'failed', 'deleted']) as s;
update ccp.users set disabled_at = clock.now() where username = 'bobby';
select is(
    t.stats(),
    '{"active_users": 2, "running_hosts": 1, "wanted_hosts": 3, "unavailable_hosts": 1, "failed_hosts": 1, "available_ips": 1,
    "bound_ips": 1, "degraded_ips": 0, "down_ips": 0, "open_sessions": 1, "queued_tasks": 1, "running_tasks": 1}'::jsonb, 'what lives is counted'
);
update ccp.users set expires_at = '2000-01-01' where username = 'alice';
select is((t.stats() ->> 'active_users')::integer, 1, 'the expired are not active');
select throws_ok($$select api.dashboard_stats(t.login('boss'), 2)$$, 'CP401', null, 'an old token counts nothing');

select * from finish();
rollback;
