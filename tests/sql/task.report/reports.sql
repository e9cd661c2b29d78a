-- Reports: leases fence them, the same one twice gets the same answer, tries and deadlines.
begin;
\ir ../hosts.psql
select plan(27);

select t.ask('host.start');
create temporary table first_claim as select * from t.claim();
select is((select attempt from first_claim), 1, 'a claim is a try');
select is(task.progress(id, lease, 'verifying', 50, 'checking the exit'), 'ok', 'progress is noted') from first_claim;
select is(task.progress(id, lease - 1, 'verifying', 50, 'x'), 'stale', 'progress with another lease is stale') from first_claim;
select is((select stage from ccp.task_rows), 'verifying', 'the stage is there for people');
select is(task.succeed(id, lease + 1, '{}'), 'stale', 'success with another lease is stale') from first_claim;
select is(t.status(), 'starting', 'and changes nothing');
select is(task.succeed(id, lease, '{"exit_ip": "198.51.100.1"}'), 'ok', 'success is taken') from first_claim;
select is(t.status(), 'running', 'the host runs');
select is(task.succeed(id, lease, '{}'), 'ok', 'the same report again gets the same answer') from first_claim;
select is(task.fail(id, lease, 'leak', 'no', true), 'stale', 'a different report is stale') from first_claim;
select is((select result ->> 'exit_ip' from ccp.task_rows), '198.51.100.1', 'the result of the first is kept');

select t.ask('host.stop');
create temporary table second_claim as select * from t.claim();
select is(task.fail(id, lease, 'docker_failed', 'busy', true), 'retry', 'a stop is tried again') from second_claim;
select is(task.fail(id, lease, 'docker_failed', 'busy', true), 'retry', 'the same report again says so again') from second_claim;
select is((t.claim()).id, null, 'not before its time');
set local test.now = '2099-01-01';
create temporary table third_claim as select * from t.claim();
select is((select attempt from third_claim), 2, 'then it is the second try');
select isnt((select lease from third_claim), (select lease from second_claim), 'with a lease of its own');
select is(task.hand_back(id, lease), 'ok', 'it is handed back') from third_claim;
select is((select attempt from ccp.task_rows where status = 'queued'), 1, 'which does not count as a try');
create temporary table fourth_claim as select * from t.claim();
select is(task.fail(id, lease, 'docker_failed', 'no', false), 'failed', 'a failure that cannot pass is final') from fourth_claim;
select is(t.status(), 'failed', 'the host has failed');
select is((select error_code from ccp.hosts), 'docker_failed', 'and says why');
select ok((select retry_at > clock.now() from ccp.hosts), 'reconciliation has to wait');
select is((select count(*)::integer from ccp.events where type = 'task.failed'), 1, 'the audit log has it');

update ccp.task_kinds set deadline = '1 second' where kind = 'host.start';
select t.ask('host.start');
create temporary table fifth_claim as select * from t.claim();
set local test.now = '2099-01-01 00:00:10';
select clock.enforce_deadlines();
select is(task.progress(id, lease, 'verifying', 1, 'x'), 'stop', 'past the deadline it is asked to stop') from fifth_claim;
select is(task.canceled(id, lease, 'stopped'), 'ok', 'it stops') from fifth_claim;
select is((select error_code from ccp.task_rows where id = (select id from fifth_claim)), 'deadline', 'that is a failure');
select is(t.status(), 'unavailable', 'and the host is unavailable');

select * from finish();
rollback;
