-- What a report says it left decides what the host is, not what is wanted by then; what was seen since counts as well.
begin;
\ir ../hosts.psql
select plan(41);

select t.at('2099-01-01');
create sequence t.seen;
create function t.report(p_end text, p_left text, p_sequence bigint default nextval('t.seen')) returns text language plpgsql as $$
declare
    v_task ccp.task_rows;
begin
    select * into v_task from ccp.task_rows where status = 'running';
    return case p_end
        when 'succeeded' then task.succeed(v_task.id, v_task.lease, '{}', p_left, p_sequence)
        when 'failed' then task.fail(v_task.id, v_task.lease, 'docker_failed', 'x', false, p_left, p_sequence)
        when 'canceled' then task.canceled(v_task.id, v_task.lease, 'x', p_left, p_sequence)
        else task.hand_back(v_task.id, v_task.lease, p_left, p_sequence)
    end;
end
$$;
-- The status of a host, of which a task of a kind in this status ends so and leaves it so.
create function t.after(p_kind text, p_end text, p_left text) returns text language sql as $$
    select task.status_after(k, p_end, p_left) from ccp.task_kinds as k where k.kind = p_kind
$$;
create function t.seen() returns text language sql as $$ select state || ' ' || sequence from ccp.observations where host_id = t.host() $$;
create function t.observe(p_state text, p_sequence bigint default nextval('t.seen')) returns text language sql as $$
    select host.observe(t.agent(), t.host(), p_sequence, p_state, 'exit_mismatch', 'left elsewhere', clock.now())
$$;

select is(t.after('host.rebuild', 'succeeded', 'running'), 'running', 'a rebuild that left it running');
select is(t.after('host.rebuild', 'succeeded', 'stopped'), 'stopped', 'that left it stopped');
select is(t.after('host.rebuild', 'succeeded', 'absent'), 'stopped', 'that left no container');
select is(t.after('host.rebuild', 'succeeded', null), 'stopped', 'that does not say: nothing is said to run that nobody says runs');
select is(t.after('host.rebuild', 'canceled', 'absent'), 'stopped', 'no container is a stopped host');
select is(t.after('host.rebuild', 'canceled', 'closed'), 'unavailable', 'a closed one is not');
select is(t.after('host.stop', 'canceled', 'running'), 'running', 'a stop that had not begun');
select is(t.after('host.stop', 'canceled', 'unknown'), 'unavailable', 'one of which nothing is known');
select is(t.after('host.stop', 'failed', 'running'), 'failed', 'a stop that failed has failed');
select is(t.after('host.start', 'succeeded', null), 'running', 'by itself an end means what its kind says');

-- The report is an observation, in its place among the others.
select t.ask('host.start');
select t.claim();
select is(t.report('succeeded', 'running'), 'ok', 'a start leaves it running');
select is((select left_state::text from ccp.task_rows), 'running', 'the task keeps what it left');
select is(t.seen(), 'running 1', 'it was seen so');
select is(t.observe('stopped', 0), 'stale', 'what was seen before comes too late');
select is(t.status(), 'running', 'and changes nothing');
select is(t.observe('stopped'), 'ok', 'what is seen after it counts,');
select is(t.status(), 'unavailable', 'whatever the clocks of both say');
select t.ask('host.start');
select t.claim();
select setval('t.seen', 10);
select is(t.observe('stopped', 9), 'ok', 'a guard ends it while the report waits for the database');
select is(t.report('succeeded', 'running', 8), 'ok', 'the report of what was left before comes later');
select is(t.status(), 'unavailable', 'the host is not said to run');
select is((select error_code from ccp.hosts), 'exit_mismatch', 'and why');
select is((select status from ccp.task_rows order by created_at desc, started_at desc limit 1), 'succeeded', 'though it was started');

-- A task that does not know what it left: nothing seen before counts any more.
select t.ask('host.start');
select t.claim();
select t.report('succeeded', 'running');
select t.ask('host.stop');
select t.claim();
select is(t.report('succeeded', null), 'ok', 'a stop that does not say what it left');
select is(t.seen(), 'unknown 11', 'makes what was seen unknown');
select is(t.status(), 'stopped', 'and is believed');
select is(t.observe('running'), 'ok', 'until it is seen otherwise');
select is(t.status(), 'unavailable', 'then it is not');

-- Never claimed: a living agent's word counts.
select t.ask('host.start');
select t.claim();
select t.report('succeeded', 'running');
select t.ask('host.stop');
select is(t.status(), 'stopping', 'a stop waits to be claimed');
select is((t.ask('host.start')).status, 'succeeded', 'a start before that has nothing to do,');
select is(t.status(), 'running', 'for the host was never touched');
select t.ask('host.stop');
select is(task.cancel((select id from ccp.task_rows where status = 'queued'), 'x'), 'canceled', 'so if the stop is canceled');
select is(t.status(), 'running', 'it runs on');
select t.ask('host.stop');
update ccp.processes set ended_at = clock.now(), end_reason = 'silent' where program = 'ccp-agent';
select task.cancel((select id from ccp.task_rows where status = 'queued'), 'x');
select is((select string_agg(kind, ', ') from ccp.task_rows where status = 'queued'), 'host.start', 'a dead agent''s word does not: it is started');
update ccp.processes set ended_at = null, end_reason = null where program = 'ccp-agent';

-- Given back: the task waits with what its last try left.
select t.claim();
select is(t.report('handed back', 'stopped'), 'ok', 'a try is handed back');
select is((select left_state::text from ccp.task_rows where status = 'queued'), 'stopped', 'with what it left');
select t.claim();
select is((select left_state::text from ccp.task_rows where status = 'running'), null, 'the next try knows nothing yet');
update ccp.task_kinds set attempts_max = 3 where kind = 'host.start';
select is(
    (select task.fail(id, lease, 'docker_failed', 'x', true, 'running', nextval('t.seen')) from ccp.task_rows where status = 'running'),
    'retry', 'a try fails'
);
select task.cancel((select id from ccp.task_rows where status = 'queued'), 'x');
select is((select left_state::text from ccp.task_rows where status = 'canceled' order by finished_at desc, attempt desc limit 1), 'running',
    'a task that ends while it waits leaves that');
select isnt(t.seen(), 'unknown 11', 'which is known');
-- A task without a host leaves nothing.
select task.enqueue('system.noop');
select task.claim(t.worker(), 1);
select is((select task.succeed(id, lease, '{}', 'running', 1) from ccp.task_rows where kind = 'system.noop'), 'ok', 'a worker''s task');
select is((select count(*)::integer from ccp.observations), 1, 'is seen of no host');

select * from finish();
rollback;
