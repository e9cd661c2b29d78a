-- Drift, remedies, back-off.
begin;
\ir ../hosts.psql
select plan(22);

select t.run();
select is(host.observe(t.agent(), t.host(), 1, 'running', null, null, clock.now()), 'ok', 'the agent sees it run');
select is(t.status(), 'running', 'which is as it should be');
set local test.now = '2099-01-01 00:00:00';
select is(
    host.observe(t.agent(), t.host(), 2, 'closed', 'exit_mismatch', 'left as 203.0.113.9', clock.now()), 'ok', 'it sees it closed'
);
select is(t.status(), 'unavailable', 'the host is unavailable');
select is((select error_message from ccp.hosts), 'left as 203.0.113.9', 'and says why');
select is((select count(*)::integer from ccp.events where type = 'reconcile.host.drift'), 1, 'the drift is in the audit log');
select is((select count(*)::integer from ccp.events where type = 'host.unavailable'), 1, 'and what it means');
select is(host.observe(t.agent(), t.host(), 1, 'running', null, null, clock.now()), 'stale', 'older news changes nothing');
select is(host.reconcile(t.host()), null, 'reconciliation waits after a failure');
set local test.now = '2099-01-01 00:00:06';
select isnt(host.reconcile(t.host()), null, 'after 5 s it asks for a start');
select is(
    (select created_by from ccp.task_rows where status = 'queued'), 'reconcile', 'in its own name'
);
select is(host.reconcile(t.host()), null, 'with a live task it does nothing');
create temporary table c as select * from t.claim();
select is(task.fail(id, lease, 'tunnel_no_handshake', 'nobody answers', true), 'failed', 'the start fails') from c;
select is(
    (select retry_at - clock.now() from ccp.hosts), interval '10 seconds', 'the wait has doubled'
);
select t.run();
select is((select failures from ccp.hosts), 0, 'a person who asks forgets the failures');
update ccp.hosts set failures = 3, status_changed_at = clock.now() - interval '11 minutes';
select clock.forget_failures();
select is((select failures from ccp.hosts), 0, 'so do ten stable minutes');
select is(host.observe(t.agent(), gen_random_uuid(), 3, 'absent', null, null, clock.now()), 'gone', 'a host that is not ours is gone');

select t.ask('host.stop');
select t.work();
update ccp.hosts set failures = 3, status_changed_at = clock.now() - interval '11 minutes';
select clock.forget_failures();
select is((select failures from ccp.hosts), 0, 'stopped ones too');
update ccp.hosts set failures = 3, retry_at = clock.now() + interval '1 hour', desired = 'running';
select clock.reconcile_all();
select is((select failures from ccp.hosts), 3, 'but not while it is to run');
update ccp.hosts set failures = 0, retry_at = null, desired = 'stopped';
set local test.now = '2099-01-01 01:00:00';
select host.observe(t.agent(), t.host(), 9, 'closed', null, null, clock.now());
select is(t.status(), 'unavailable', 'a stopped host that is seen to run is unavailable');
set local test.now = '2099-01-01 01:00:10';
select clock.reconcile_all();
select is((select kind from ccp.task_rows where status = 'queued'), 'host.stop', 'and is stopped');
select is(t.status(), 'stopping', 'at the next tick');

select * from finish();
rollback;
