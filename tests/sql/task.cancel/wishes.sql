-- What canceling does to a task in each state, to its host, and to what is desired.
begin;
\ir ../hosts.psql
select plan(32);

-- The live task of a kind, else one that has ended.
create function t.task(p_kind text) returns ccp.task_rows language sql as $$
    select t.* from ccp.task_rows as t where t.kind = p_kind and t.host_id = t.host() order by t.finished_at desc limit 1
$$;
create function t.desired() returns text language sql as $$ select desired from ccp.hosts where id = t.host() $$;

select throws_ok(
    $$select task.cancel(gen_random_uuid(), 'x')$$, 'CP404', 'there is no such task', 'an unknown task cannot be canceled'
);

-- Queued.
select t.ask('host.start');
select is(task.cancel((t.task('host.start')).id, 'not today'), 'canceled', 'a queued task ends at once');
select is((t.task('host.start')).error_message, 'not today', 'and keeps the reason');
select is(t.status(), 'stopped', 'its host is as a canceled start leaves it');
select is(t.desired(), 'stopped', 'and no longer wanted running, so reconciliation asks for nothing');
select is(host.reconcile(t.host()), null, 'it does not');
select is(task.cancel((t.task('host.start')).id, 'again'), 'canceled', 'canceling what has ended tells how it ended');
select is((t.task('host.start')).error_message, 'not today', 'and changes nothing');

-- Running.
select t.ask('host.start');
create temporary table c as select * from t.claim();
select is(task.cancel((select id from c), 'not today'), 'stopping', 'a running task is asked to stop');
select is((t.task('host.start')).status, 'running', 'and runs until its agent says so');
select is(task.progress((select id from c), (select lease from c), 'verifying', 50, 'x'), 'stop', 'progress tells the agent');
select is(task.cancel((select id from c), 'really'), 'stopping', 'asking twice is asking once');
select isnt((t.ask('host.start')).id, (select id from c), 'the same request now is a new one: the old is being canceled');
select is(task.canceled((select id from c), (select lease from c), 'stopped on request'), 'ok', 'the agent has stopped it');
select is(t.status(), 'starting', 'the new request is the host''s next');
select is(task.cancel((t.task('host.start')).id, 'enough'), 'canceled', 'which is canceled too');

-- A stop that came too late: the agent had just succeeded.
select t.ask('host.start');
update c set id = r.id, lease = r.lease from t.claim() as r;
select task.cancel((select id from c), 'too late') is not null as asked \gset
select is(task.succeed((select id from c), (select lease from c), '{}'), 'ok', 'a task that was asked to stop may still succeed');
select is(t.status(), 'stopping', 'then reconciliation stops the host, because whoever canceled did not want it running');
select is((t.task('host.stop')).created_by, 'reconcile', 'in its own name');
select t.work();

-- A queued one behind a running one.
select t.run();
select t.ask('host.stop');
select t.claim();
select t.ask('host.start');
select is(task.cancel((t.task('host.start')).id, 'stay down'), 'canceled', 'a waiting task ends at once');
select is(t.status(), 'stopping', 'the running one goes on');
select is((t.task('host.stop')).status, 'running', 'and may finish');
select is(t.succeed(), 'ok', 'it does');
select is(t.status(), 'stopped', 'the host is stopped and stays so');

-- A deletion.
select t.ask('host.delete');
select is(task.cancel((t.task('host.delete')).id, 'keep it'), 'canceled', 'a deletion that has not begun can be canceled');
select is(t.desired(), 'stopped', 'the host is wanted again');
select is((t.task('host.stop')).created_by, 'reconcile', 'and reconciliation sees to it that it is stopped');
select t.work();
select is(t.status(), 'stopped', 'as it was');
select t.ask('host.delete');
select t.claim();
select throws_ok(
    format('select task.cancel(%L, ''keep it'')', (t.task('host.delete')).id), 'CP409',
    'a deletion that has begun cannot be canceled', 'one that has begun cannot'
);
select is((select count(*)::integer from ccp.task_rows where status = 'running'), 1, 'it runs on');
select is(task.fail(id, lease, 'docker_failed', 'busy', true), 'retry', 'also when a try has failed')
from ccp.task_rows where status = 'running';
select throws_ok(
    format('select task.cancel(%L, ''keep it'')', (t.task('host.delete')).id), 'CP409', null, 'and it waits for the next'
);

select * from finish();
rollback;
