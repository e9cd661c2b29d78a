-- A host whose creation failed: nothing that needs a created host begins, and reconciliation creates it first.
begin;
\ir ../hosts.psql
select plan(21);

insert into ccp.hosts (short_id, user_id, node_id, image)
select 'ghijkl', h.user_id, h.node_id, 'image'
from ccp.hosts as h;
insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address)
values ('exit2', '198.51.100.2', '198.51.100.2:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.3/32');
insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
select h.id, e.id, h.user_id, e.label, e.ip_address
from ccp.hosts as h, ccp.egress_ips as e
where h.short_id = 'ghijkl' and e.label = 'exit2';
create or replace function t.host() returns uuid language sql as $$ select id from ccp.hosts where short_id = 'ghijkl' $$;
create or replace function t.status() returns text language sql as $$ select status from ccp.hosts where id = t.host() $$;
create function t.live() returns text language sql as $$
    select coalesce(string_agg(kind || ' ' || status, ', ' order by status desc), 'nothing') from ccp.task_rows
    where host_id = t.host() and status in ('queued', 'running')
$$;

select t.at('2099-01-01 00:00:00');
select t.ask('host.create');
create temporary table c as select * from t.claim();
select lives_ok($$select t.ask('host.start')$$, 'a start waits behind a creation that runs');
select is(task.fail(id, lease, 'image_missing', 'there is no such image', false), 'failed', 'the creation fails') from c;
select is(
    (select error_code || ': ' || error_message from ccp.task_rows where kind = 'host.start'),
    'host_not_created: host.start is not possible: the host was never created', 'the start has failed and says why'
);
select is(t.status(), 'failed', 'the host has failed');
select is((select desired from ccp.hosts where id = t.host()), 'running', 'and is wanted running all the same');
select is(
    (select count(*)::integer from ccp.events as e join ccp.task_rows as r on r.id = e.task_id
    where e.type = 'task.failed' and r.kind = 'host.start'),
    1, 'the start that could not begin is in the audit log'
);

select throws_ok($$select t.ask('host.start')$$, 'CP409', 'host.start is not possible: host ghijkl was never created', 'a person who asks is told');
select throws_ok($$select t.ask('host.rebuild')$$, 'CP409', 'host.rebuild is not possible: host ghijkl was never created', 'so is one who wants it rebuilt');
select throws_ok($$select t.ask('host.stop')$$, 'CP409', 'host.stop is not possible: host ghijkl was never created', 'or stopped');
select t.at('2099-01-01 00:00:06');
select clock.tick('worker');
select is(t.live(), 'nothing', 'what does not pass by itself is not tried again');
select matches(
    (select why from ccp.host_status where host = 'ghijkl'), 'it waits until its image is on its machine and fit, or it has another one',
    'people read what helps'
);
select is((select ok from ccp.doctor where name = 'hosts'), false, 'the doctor says that it failed');
update ccp.hosts set image = 'another' where id = t.host();
select clock.tick('worker');
select is(t.live(), 'host.create queued', 'once that has changed the tick has it created');
select t.claim();
select is(
    t.succeed(jsonb_build_object('wg_public_key', repeat('C', 43) || '=', 'ssh_host_key', 'ssh-ed25519 AAAA')), 'ok', 'which succeeds this time'
);
select is((select ssh_host_key from ccp.hosts where id = t.host())::text, 'ssh-ed25519 AAAA', 'and leaves the host''s keys');
select is(t.live(), 'host.start queued', 'then it is started');
select t.work();
select is(t.status(), 'running', 'and runs');

-- Nothing that reconciliation asks for is refused loudly: it works inside other reports.
update ccp.hosts set wg_public_key = null where id = t.host();
select t.at('2099-01-01 00:00:10');
select host.observe(t.agent(), t.host(), 1, 'closed', 'leak', 'x', clock.now());
select is(t.status(), 'unavailable', 'a host without a key is unavailable');
select t.at('2099-01-01 00:01:00');
set local client_min_messages = error; -- each attempt is a warning
select is(host.reconcile(t.host()), null, 'what cannot be is not asked for');
select lives_ok($$select clock.tick('worker')$$, 'nor does the tick fail');
select is(t.live(), 'nothing', 'and nothing is queued');

select * from finish();
rollback;
