-- Asking again for what a task was to do.
begin;
\ir ../hosts.psql
select plan(9);

select throws_ok($$select task.retry(gen_random_uuid())$$, 'CP404', null, 'an unknown task cannot be tried again');
create temporary table first as select (task.enqueue('host.rebuild', t.host(), '{"mode": "wipe"}', 'k1')).*;
select throws_ok(
    $$select task.retry((select id from first))$$, 'CP409', 'a task that is queued cannot be tried again', 'a live one neither'
);
create temporary table c as select * from t.claim();
select is(task.fail(id, lease, 'docker_failed', 'no', false), 'failed', 'it fails') from c;
create temporary table second as select (task.retry((select id from first))).*;
select isnt((select id from second), (select id from first), 'a retry is a new task');
select results_eq(
    $$select kind, host_id, params, status from second$$, $$select kind, host_id, params, 'queued'::ccp.task_state from first$$,
    'of the same kind for the same host with the same parameters'
);
select is((select idempotency_key from second), null, 'without the key, which still names the first');
select is((select failures from ccp.hosts), 0, 'earlier failures are forgotten, as when a person asks');
select is((task.retry((select id from first))).id, (select id from second), 'twice is once');
select t.work();
select throws_ok(
    $$select task.retry((select id from second))$$, 'CP409', 'a task that is succeeded cannot be tried again',
    'what succeeded is not tried again'
);

select * from finish();
rollback;
