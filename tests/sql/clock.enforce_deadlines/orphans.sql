-- Tasks of dead processes, and tasks that were asked to stop for another reason than their deadline.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(8);

select t.at('2099-01-01');
select t.ask('host.start');
select task.enqueue('host.start', t.second());
select task.claim(t.agent(), 9);
select task.cancel(id, 'x') from ccp.task_rows where host_id = t.host();
select t.at('2099-01-01 00:00:40');
select clock.enforce_deadlines();
select is((select count(*)::integer from ccp.processes where ended_at is null), 2, 'who is slow to stop before the deadline lives');
select is(t.live(), 'abcdef host.start running, ghijkl host.start running', 'and its tasks run on');
select t.at('2099-01-01 00:01:00');
select clock.enforce_deadlines();
select is((select count(*)::integer from ccp.task_rows where stop_reason = 'deadline'), 0, 'at the deadline nothing happens');
select t.at('2099-01-01 00:01:01');
select clock.enforce_deadlines();
select is(
    (select string_agg(h.short_id || ' ' || k.stop_reason || ' ' || (k.stop_requested_at = clock.now()), ', ' order by h.short_id)
    from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id),
    'abcdef canceled false, ghijkl deadline true', 'after it, what was not asked to stop yet is'
);
update ccp.task_rows set stop_requested_at = clock.now() - interval '20 seconds';
select t.at('2099-01-01 00:01:31');
select clock.enforce_deadlines();
select is((select string_agg(end_reason, ',') from ccp.processes), 'overdue', 'half a minute later the program is declared dead');

-- A process whose death was written while its task was locked.
select process.register('ccp-worker', 'node1', 9, 'test');
select task.enqueue('system.noop');
select task.enqueue('system.noop', null, '{"label": "other"}');
select count(*) from task.claim(t.worker(), 1);
update ccp.processes set ended_at = clock.now(), end_reason = 'silent' where pid = 9;
select task.release_orphans();
select is(
    (select string_agg(concat_ws(' ', status, losses), ', ' order by losses) from ccp.task_rows where kind = 'system.noop'), 'queued 0, queued 1',
    'is found out by what it left running'
);
select process.register('ccp-worker', 'node1', 10, 'test');
select count(*) from task.claim(t.worker(), 9);
select task.release_orphans();
select is((select count(*)::integer from ccp.task_rows where kind = 'system.noop' and status = 'running'), 2, 'what a living one runs is left to it');
select is((select sum(losses)::integer from ccp.task_rows where kind = 'system.noop'), 1, 'and not counted as lost');

select * from finish();
rollback;
