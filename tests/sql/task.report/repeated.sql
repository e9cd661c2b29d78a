-- The last reports: what they leave in the row, what the same one again is answered, and what another one is.
begin;
\ir ../hosts.psql
select plan(63);

select t.at('2099-01-01');
create temporary table c as select (t.ask('host.stop')).*;
delete from c;
create function t.next(p_kind text) returns void language plpgsql as $$
begin
    perform t.ask(p_kind);
    delete from c;
    insert into c select * from t.claim();
end
$$;
create function t.row() returns text language sql as $$
    select concat_ws(' ', k.status, k.attempt, k.losses, k.reported, k.error_code, k.error_message, k.retryable, k.progress, k.stop_reason)
    from ccp.task_rows as k, c where k.id = c.id
$$;

-- Success.
select t.next('host.start');
select task.progress(id, lease, 'verifying', 50, 'half') from c;
select is(
    (select concat_ws(' ', k.stage, k.progress, k.message, k.progressed_at = clock.now()) from ccp.task_rows as k, c where k.id = c.id),
    'verifying 50 half t', 'progress is stored'
);
select is(task.progress(gen_random_uuid(), lease, 'x', 1, 'x'), 'stale', 'for its task') from c;
select is(task.succeed(id, lease, '{}'), 'ok', 'a success is taken') from c;
select is(t.row(), 'succeeded 1 0 succeeded 100', 'and stored, with a progress of 100');
select is(
    (select concat_ws(' ', level, type, message, user_id is not null, host_id = t.host()) from ccp.events where task_id = (select id from c)),
    'info host.started host abcdef was started t t', 'the audit log has it'
);
select is(task.succeed(id, lease, '{}'), 'ok', 'again too') from c;
select is(task.succeed(id, lease + 1, '{}'), 'stale', 'with its lease') from c;
select is(task.progress(id, lease, 'x', 1, 'x'), 'stale', 'what has ended makes no progress') from c;
select is(task.canceled(id, lease, 'x'), 'stale', 'it was not canceled') from c;
select is(task.hand_back(id, lease), 'stale', 'nor handed back') from c;
select is(task.fail(id, lease, 'leak', 'x', true), 'stale', 'nor has it failed') from c;

-- Failures: one that is tried again, then one that is not.
select t.next('host.stop');
select is(task.fail(id, lease, 'docker_failed', 'busy', true), 'retry', 'a failure that may pass is tried again') from c;
select is(t.row(), 'queued 1 0 retry docker_failed busy', 'the row says why');
select is((select run_at from ccp.task_rows as k where k.id = (select id from c)), timestamptz '2099-01-01 00:00:01', 'a second later');
select is(task.fail(id, lease + 1, 'docker_failed', 'busy', true), 'stale', 'a report with another lease is stale') from c;
select is(task.succeed(id, lease, '{}'), 'stale', 'so is a success') from c;
select is(task.canceled(id, lease, 'x'), 'stale', 'it was not canceled') from c;
select is(task.hand_back(id, lease), 'stale', 'nor handed back') from c;
select t.at('2099-01-01 00:00:01');
delete from c;
insert into c select * from t.claim();
select is((select concat_ws(' ', stage, progress, message, attempt, error_code) from c), '2 docker_failed', 'the next try begins without stage');
select task.progress(id, lease, 'stopping', 10, 'x') from c;
select is(task.fail(id, lease, 'docker_failed', 'busy', true), 'retry', 'again') from c;
select is((select run_at from ccp.task_rows as k where k.id = (select id from c)), timestamptz '2099-01-01 00:00:03', 'two seconds later');
select t.at('2099-01-01 00:00:03');
delete from c;
insert into c select * from t.claim();
select is((select concat_ws(' ', stage, progress, message) from c), '', 'whatever the try before had reached');
select is(task.fail(id, lease, 'docker_failed', 'still busy', true), 'failed', 'the third time is the last') from c;
select is(t.row(), 'failed 3 0 failed docker_failed still busy t', 'the row says so, and that trying again may help');
select is(task.fail(id, lease, 'docker_failed', 'x', true), 'failed', 'again too') from c;
select is(task.succeed(id, lease, '{}'), 'stale', 'it has not succeeded') from c;
select is(task.canceled(id, lease, 'x'), 'stale', 'nor was it canceled') from c;
select is((select concat_ws(' ', status, failures, retry_at - clock.now(), error_code, error_message) from ccp.hosts), 'failed 1 00:00:05 docker_failed still busy', 'the host has failed once, and waits');

-- Failures are counted; a person who asks forgets them and the wait.
select t.next('host.start');
select is((select failures + coalesce(extract(epoch from retry_at), 0)::integer from ccp.hosts), 0, 'a request forgets failures and wait');
select task.fail(id, lease, 'tunnel_no_handshake', 'x', true) from c;
select is(
    (select string_agg(type || ': ' || message, '; ' order by id) from ccp.events where task_id = (select id from c)),
    'task.failed: host.start of host abcdef failed: x; host.unavailable: host abcdef is unavailable: x', 'a start that failed makes the host unavailable'
);
update ccp.hosts set failures = 0, desired = 'running';
select host.mark_unavailable(h, 'leak', 'it leaked') from ccp.hosts as h;
select is((select concat_ws(' ', failures, error_code, error_message) from ccp.hosts), '1 leak it leaked', 'so does drift');
select t.at('2099-01-01 00:01:00');
select host.reconcile(t.host());
delete from c;
insert into c select * from t.claim();
select task.fail(id, lease, 'leak', 'x', true) from c;
select is((select concat_ws(' ', failures, retry_at - clock.now()) from ccp.hosts), '2 00:00:10', 'failures of reconciliation add up');
select t.ask('host.stop');
select t.work();

-- Cancellation.
select t.next('host.start');
select task.cancel(id, 'enough') from c;
select is(task.canceled(id, lease + 1, 'x'), 'stale', 'with its lease') from c;
select is(task.canceled(id, lease, 'stopped'), 'ok', 'a task that was asked to stop was canceled') from c;
select is(t.row(), 'canceled 1 0 canceled canceled stopped canceled', 'and says why');
select is(task.canceled(id, lease, 'x'), 'ok', 'again too') from c;
select is(task.canceled(id, lease + 1, 'x'), 'stale', 'with its lease only') from c;
select is(task.hand_back(id, lease), 'ok', 'handing it back is no different') from c;
select is(task.hand_back(id, lease + 1), 'stale', 'with its lease') from c;
select is(task.fail(id, lease, 'x', 'x', true), 'stale', 'it has not failed') from c;
select is(task.succeed(id, lease, '{}'), 'stale', 'nor succeeded') from c;
select t.next('host.start');
select is(task.canceled(id, lease, 'of itself'), 'ok', 'a program may give up') from c;
select is(t.row(), 'canceled 1 0 canceled canceled of itself', 'without having been asked');
select t.next('host.stop');
select task.cancel(id, 'enough') from c;
select is(task.fail(id, lease, 'docker_failed', 'x', true), 'failed', 'what was asked to stop is not tried again') from c;
select t.work();

-- Handed back.
select t.next('host.stop');
select is(task.hand_back(id, lease + 1), 'stale', 'another lease hands nothing back') from c;
select is(task.hand_back(id, lease), 'ok', 'a program that stops hands its task back') from c;
select is(t.row(), 'queued 0 0 handed_back', 'its try does not count');
select is(task.hand_back(id, lease), 'ok', 'again too') from c;
select is(task.hand_back(id, lease + 1), 'stale', 'with its lease') from c;
select is(task.succeed(id, lease, '{}'), 'stale', 'then it is not its any more') from c;
delete from c;
insert into c select * from t.claim();
select task.cancel(id, 'enough') from c;
select is(task.hand_back(id, lease), 'ok', 'one that was asked to stop is handed back') from c;
select is(t.row(), 'canceled 1 0 canceled canceled handed back when it was no longer wanted canceled', 'and canceled');
select t.work();
select t.run();
select t.next('host.verify');
update ccp.task_kinds set stopped_by = '{}' where kind = 'host.verify';
select t.ask('host.stop');
select is(task.hand_back(id, lease), 'ok', 'so is one for which another task waits') from c;
select is(t.row(), 'canceled 1 0 canceled superseded handed back when it was no longer wanted', 'which takes its place');
select is(t.status(), 'stopping', 'at once');
select t.work();

-- The deadline: tried again while there are tries.
update ccp.task_kinds set stopped_by = '{}' where kind = 'host.stop';
select t.run();
select t.next('host.stop');
select t.at('2099-01-01 00:02:00');
select clock.enforce_deadlines();
select is(task.canceled(id, lease, 'x'), 'ok', 'a task past its deadline stops') from c;
select is(t.row(), 'queued 1 0 retry deadline did not end in time and was stopped', 'and is tried again');
select is(task.canceled(id, lease, 'x'), 'ok', 'the same report again is right') from c;
select is(task.canceled(id, lease + 1, 'x'), 'stale', 'with its lease') from c;
select t.at('2099-01-01 00:02:02');
update ccp.task_kinds set attempts_max = 2 where kind = 'host.stop';
delete from c;
insert into c select * from t.claim();
select t.at('2099-01-01 00:03:00');
select clock.enforce_deadlines();
select is(task.canceled(id, lease, 'x'), 'ok', 'until its last try') from c;
select is(t.row(), 'failed 2 0 failed deadline did not end in time and was stopped t deadline', 'has failed');
select is(task.canceled(id, lease, 'x'), 'ok', 'which the same report again does not change') from c;
select is(t.status(), 'failed', 'and the host with it');

select * from finish();
rollback;
