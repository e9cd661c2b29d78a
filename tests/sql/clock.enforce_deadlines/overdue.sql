-- A task past its deadline is asked to stop; 30 s later whoever holds it is declared dead. And the grace: silence counts
-- from 20 s, but not while nobody could be heard.
begin;
\ir ../hosts.psql
select plan(27);

create function t.tick(p_now timestamptz) returns text language sql as $$
    select set_config('test.now', p_now::text, true);
    select clock.tick('worker')
$$;
create function t.beat(p_process bigint) returns void language sql as $$ select process.beat(p_process, '{}') $$;
create function t.alive(p_program text) returns boolean language sql as $$
    select exists (select from ccp.processes where program = p_program and ended_at is null)
$$;
-- Ticks each second, while the agent keeps beating with its lease and the worker without any.
create function t.tick_through(p_from timestamptz, p_to timestamptz) returns void language plpgsql as $$
declare
    v_at timestamptz;
begin
    for v_at in select generate_series(p_from, p_to, interval '1 second')
    loop
        perform t.at(v_at);
        perform clock.tick('worker');
    end loop;
end
$$;

-- Deadline: host.stop has 30 s and three tries.
select t.run();
select t.at('2099-01-01');
select t.ask('host.stop');
create temporary table c as select * from t.claim();
select t.tick_through('2099-01-01', '2099-01-01 00:00:30');
select is((select stop_requested_at from ccp.task_rows where id = (select id from c)), null, 'up to the deadline nobody interferes');
select t.tick_through('2099-01-01 00:00:31', '2099-01-01 00:00:31');
select is(
    (select stop_reason from ccp.task_rows where id = (select id from c)), 'deadline', 'a second later it is asked to stop'
);
select is(
    (select stop_leases from process.beat(t.agent(), array[(select lease from c)])), array[(select lease from c)],
    'its agent''s beat says so'
);
select t.tick_through('2099-01-01 00:00:32', '2099-01-01 00:01:01');
select ok(t.alive('ccp-agent'), 'for 30 s its agent may finish');
select t.tick_through('2099-01-01 00:01:02', '2099-01-01 00:01:02');
select ok(not t.alive('ccp-agent'), 'then it is declared dead, although it beats');
select is((select end_reason from ccp.processes where program = 'ccp-agent'), 'overdue', 'with the reason');
select is(
    (select alive from process.beat((select id from ccp.processes where program = 'ccp-agent'), '{}')), false,
    'its next beat tells it to exit'
);
select is(
    (select status || ' ' || error_code from ccp.task_rows where id = (select id from c)), 'queued deadline',
    'its task is tried again, for it has tries left'
);
select ok(t.alive('ccp-worker'), 'nobody else dies');

-- A stop on time is a failed try, not a death.
select process.register('ccp-agent', 'node1', 11, 'test') is not null as done \gset
select t.at('2099-01-01 00:02:00');
update c set lease = k.lease from t.claim() as k;
select t.tick_through('2099-01-01 00:02:00', '2099-01-01 00:02:31');
select is(task.canceled((select id from c), (select lease from c), 'stopped'), 'ok', 'an agent that stops on time');
select ok(t.alive('ccp-agent'), 'lives');
select is((select attempt from ccp.task_rows where id = (select id from c)), 2, 'the try counts');
select t.at('2099-01-01 00:02:33');
update c set lease = k.lease from t.claim() as k;
select t.tick_through('2099-01-01 00:02:33', '2099-01-01 00:03:04');
select is(task.canceled((select id from c), (select lease from c), 'stopped'), 'ok', 'at the third');
select is((select status from ccp.task_rows where id = (select id from c)), 'failed', 'the task has failed');
select is(t.status(), 'failed', 'so has the host');
select is((select error_code from ccp.hosts), 'deadline', 'for the reason of the task');

-- Silence.
select t.tick_through('2099-01-01 00:04:00', '2099-01-01 00:04:30');
select t.tick(at) from generate_series(timestamptz '2099-01-01 00:04:31', '2099-01-01 00:04:50', '1 second') as at;
select ok(t.alive('ccp-agent') and t.alive('ccp-worker'), 'silence of 20 s is forgiven');
select t.tick('2099-01-01 00:04:51');
select ok(not t.alive('ccp-agent') and not t.alive('ccp-worker'), 'a longer one is death');
select is(
    (select array_agg(distinct end_reason order by end_reason) from ccp.processes where pid in (2, 11)), '{silent}',
    'with the reason'
);

-- An outage: nobody ticked, so nobody could have been heard.
select process.register('ccp-agent', 'node1', 12, 'test') is not null as done \gset
select process.register('ccp-worker', 'node1', 13, 'test') is not null as done \gset
select t.tick('2099-01-01 01:00:00');
select ok(t.alive('ccp-agent') and t.alive('ccp-worker'), 'after an outage of an hour everybody lives');
select is((select grace_at from ccp.ticks where who = 'worker'), timestamptz '2099-01-01 01:00:00', 'the grace has begun');
select t.tick('2099-01-01 01:00:05');
select t.beat(t.worker());
select t.tick('2099-01-01 01:00:10');
select t.tick('2099-01-01 01:00:15');
select t.tick('2099-01-01 01:00:20');
select ok(t.alive('ccp-agent'), 'it lasts for 20 s');
select t.tick('2099-01-01 01:00:21');
select ok(not t.alive('ccp-agent'), 'who has not come back by then is dead');
select ok(t.alive('ccp-worker'), 'who has lives');

-- pg_cron alone ticks each minute: that gap is no outage.
delete from ccp.ticks where who = 'worker';
select process.register('ccp-agent', 'node1', 14, 'test') is not null as done \gset
select clock.tick('cron');
set local test.now = '2099-01-01 01:01:21';
select clock.tick('cron');
set local test.now = '2099-01-01 01:02:21';
select clock.tick('cron');
select ok(not t.alive('ccp-agent'), 'with cron alone the silent die too');
insert into ccp.processes (program, node_id, queue, pid, version, beat_at)
select 'ccp-agent', id, 'q', 15, 'test', '2099-01-01 01:03:15' from ccp.nodes;
set local test.now = '2099-01-01 01:03:21';
select clock.tick('cron');
select ok(t.alive('ccp-agent'), 'and those who beat live');
select is(clock.tick('cron'), 'done', 'twice in the same instant is no harm');

select * from finish();
rollback;
