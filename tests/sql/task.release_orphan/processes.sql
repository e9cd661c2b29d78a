-- Processes that die, are replaced or fall silent, and what becomes of their tasks.
begin;
\ir ../hosts.psql
select plan(21);

select t.ask('host.start');
create temporary table first_claim as select * from t.claim();
select process.register('ccp-agent', 'node1', 3, 'test');
select is(
    (select end_reason from ccp.processes where pid = 1), 'replaced', 'a restarted agent proves its predecessor dead'
);
select is((select status from ccp.task_rows), 'queued', 'the task is queued again at once');
select is(task.succeed(id, lease, '{}'), 'stale', 'the dead one''s report is stale') from first_claim;
create temporary table second_claim as select * from t.claim();
select is((select attempt from second_claim), 1, 'a lost process does not cost a try');
select is((select count(*)::integer from ccp.events where type = 'reconcile.task.stale'), 1, 'the audit log has it');
select is(
    (select drop_leases from process.beat(t.agent(), array[999999, (select lease from second_claim)])), array[999999::bigint],
    'a beat names the leases that are not its own'
);
select is(
    (select stop_leases from process.beat(t.agent(), array[(select lease from second_claim)])), '{}'::bigint[],
    'nobody asked to stop'
);
select is(task.cancel((select id from second_claim), 'changed my mind'), 'stopping', 'a running task is asked to stop');
select is(
    (select stop_leases from process.beat(t.agent(), array[(select lease from second_claim)])),
    array[(select lease from second_claim)],
    'the next beat says so'
);
select is((select desired from ccp.hosts), 'stopped', 'who cancels a start does not want the host running');
select is(task.canceled(id, lease, 'as asked'), 'ok', 'it stops') from second_claim;
select is(t.status(), 'stopped', 'the host is stopped');

select t.ask('host.start');
create temporary table third_claim as select * from t.claim();
set local test.now = '2099-01-01';
update ccp.processes set beat_at = clock.now() where ended_at is null;
select is((select alive from process.beat(t.agent(), '{}')), true, 'a beat without the claim''s lease');
select is((select status from ccp.task_rows where id = (select id from third_claim)), 'queued', 'gives the claim back');
create temporary table fourth_claim as select * from t.claim();
select clock.tick('worker');
set local test.now = '2099-01-01 00:00:19';
update ccp.ticks set ticked_at = clock.now();
select clock.tick('worker');
select is((select count(*)::integer from ccp.processes where ended_at is null), 2, 'nobody is declared dead within 20 s');
set local test.now = '2099-01-01 00:00:21';
select clock.tick('worker');
select is((select count(*)::integer from ccp.processes where ended_at is null), 0, 'after 20 s without a beat they are');
select is((select alive from process.beat((select max(id) from ccp.processes), '{1}')), false, 'a dead one is told to exit');
select is(
    (select drop_leases from process.beat((select max(id) from ccp.processes), '{1}')), '{1}'::bigint[], 'and to drop everything'
);
select throws_ok(
    $$select task.claim((select max(id) from ccp.processes), 1)$$, 'CP401', null, 'it can claim nothing'
);

select process.register('ccp-agent', 'node1', 4, 'test');
set local test.now = '2099-01-01 00:10:00';
select clock.tick('worker');
select is(
    (select count(*)::integer from ccp.processes where ended_at is null), 1, 'an outage of the database kills nobody'
);
set local test.now = '2099-01-01 00:10:01';
select clock.tick('worker');
select is((select count(*)::integer from ccp.processes where ended_at is null), 1, 'the grace lasts 20 s');

select * from finish();
rollback;
