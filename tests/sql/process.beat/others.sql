-- Whose processes, tasks and sessions a program may touch: its own; and what health says of each.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(41);

select t.at('2099-01-01');
create function t.beat(p_process_id bigint, p_leases bigint[] default '{}') returns text language sql security definer as $$
    select format('%s drop %s stop %s', b.alive, b.drop_leases, b.stop_leases) from process.beat(p_process_id, p_leases) as b
$$;
create function t.health(p_part text) returns text language sql as $$ select process.health() ->> p_part $$;
select process.register('ccp-agent', 'node2', 3, 'test');
create function t.other() returns bigint language sql as $$ select id from ccp.processes where pid = 3 and program = 'ccp-agent' $$;
create or replace function t.agent() returns bigint language sql as $$ select id from ccp.processes where pid = 1 and program = 'ccp-agent' $$;
insert into ccp.hosts (short_id, user_id, node_id, image, status, wg_public_key)
select 'faraway', h.user_id, n.id, 'image', 'running', repeat('D', 43) || '=' from t.host_row('abcdef') as h, ccp.nodes as n where n.name = 'node2';

-- Tasks.
select t.ask('host.start');
select t.claim();
select task.enqueue('host.stop', id) from ccp.hosts where short_id = 'faraway';
select lease as far from task.claim(t.other(), 9) \gset
select lease as near from ccp.task_rows where status = 'running' and kind = 'host.start' \gset
select is(t.beat(t.agent(), array[:near, :far]), format('t drop {%s} stop {}', :far), 'another process''s lease is dropped');
update ccp.task_rows set stop_requested_at = clock.now(), stop_reason = 'canceled' where kind = 'host.stop';
select is(t.beat(t.agent(), array[:near]), 't drop {} stop {}', 'what another one has to stop is not told');
select is(t.beat(t.other(), array[:far]), format('t drop {} stop {%s}', :far), 'but to that one');
update ccp.task_rows set stop_requested_at = null, stop_reason = null;
select t.at('2099-01-01 00:00:06');
select is(t.beat(t.agent(), array[:near]), 't drop {} stop {}', 'a beat later');
select is((select count(*)::integer from ccp.task_rows where status = 'running'), 2, 'what another one runs is still its own');
select is(process.declare_dead(t.other(), 'silent'), true, 'a process is declared dead');
select is((select string_agg(kind, ', ') from ccp.task_rows where status = 'running'), 'host.start', 'its tasks are released, and no other');
select is((select count(*)::integer from ccp.processes where ended_at is null), 2, 'other processes live');
select t.at('2099-01-01 00:00:07');
select is(process.declare_dead(t.other(), 'overdue'), false, 'once');
select is(
    (select concat_ws(' ', ended_at at time zone 'UTC', end_reason) from ccp.processes where id = t.other()), '2099-01-01 00:00:06 silent',
    'the first time counts'
);
select is(process.declare_dead(0, 'silent'), false, 'one that does not exist is not');
select is(t.beat(t.other(), array[:far]), format('f drop {%s} stop {}', :far), 'a dead one drops everything');
select results_eq(
    format('select beat_at from ccp.processes where id = %s', t.other()), $$values (timestamptz '2099-01-01 00:00:06')$$, 'and is not heard any more'
);

-- Sessions.
select process.register('ccp-sshproxy', 'node1', 4, 'test');
insert into ccp.sessions (user_id, host_id, process_id, method, address, ended_at, end_reason)
select h.user_id, h.id, p.id, 'key', '127.0.0.1', null, null from t.host_row('abcdef') as h, ccp.processes as p where p.pid = 4 or p.pid = 2;
update ccp.sessions set ended_at = clock.now(), end_reason = 'closed' where process_id = t.worker();
select process.declare_dead(t.worker(), 'silent') is not null as done \gset
select is((select count(*)::integer from ccp.events where type = 'ssh.session.closed'), 0, 'a session that had ended is not ended again');
select is((select count(*)::integer from ccp.sessions where ended_at is null), 1, 'nor is one of another process');

-- Health.
select is(t.health('database'), 'ok', 'the database answers');
select is(t.health('locks'), 'ok', 'it has room for locks');
select is(t.health('agent'), 'ok', 'the agent was heard of');
select is(t.health('worker'), 'absent', 'the worker is gone');
select is(t.health('cron'), 'absent', 'cron was never there');
update ccp.processes set beat_at = clock.now() - interval '14 seconds' where id = t.agent();
select is(t.health('agent'), 'ok', 'for 15 seconds');
update ccp.processes set beat_at = clock.now() - interval '15 seconds' where id = t.agent();
select is(t.health('agent'), 'stale', 'then it is stale');
select process.register('ccp-worker', 'node1', 5, 'test');
select is(t.health('worker') || ' ' || t.health('agent'), 'ok stale', 'each for itself');
update ccp.processes set beat_at = clock.now() - interval '1 minute' where pid = 5;
select is(t.health('worker'), 'stale', 'the worker too');
update ccp.ticks set seen_at = clock.now() where who = 'worker';
select is(t.health('cron'), 'absent', 'the worker''s ticks are not cron''s');
update ccp.ticks set seen_at = clock.now() - interval '149 seconds' where who = 'cron';
select is(t.health('cron'), 'ok', 'cron ticks each minute');
update ccp.ticks set seen_at = clock.now() - interval '150 seconds' where who = 'cron';
select is(t.health('cron'), 'stale', 'and is stale when two are missing');
select is((select health ->> 'agent' from process.beat(t.agent(), '{}')), 'ok', 'a beat brings it');

-- Programs speak for themselves.
select throws_ok($$select process.unregister(0)$$, 'CP401', null, 'an unknown process cannot leave');
select task.enqueue('system.noop');
select id as worker from ccp.processes where pid = 5 \gset
select t.agent() as agent \gset
set session authorization ccp_agent;
select throws_ok(format('select process.beat(%s, ''{}'')', :worker), 'CP403', 'ccp_agent may not speak for ccp-worker', 'an agent does not beat for the worker');
select throws_ok(format('select process.unregister(%s)', :worker), 'CP403', null, 'nor take its leave');
select throws_ok(format('select task.claim(%s, 1)', :worker), 'CP403', null, 'nor claim its tasks');
select throws_ok($$select process.register('ccp-worker', 'node1', 9, 'test')$$, 'CP403', null, 'nor take its place');
select throws_ok(
    format('select host.observe(%s, gen_random_uuid(), 1, ''running'', null, null, now())', :worker), 'CP403', null, 'nor see in its name'
);
select is((select alive from process.beat(:agent, '{}')), true, 'but for itself');
select is((select count(*)::integer from task.claim(:agent, 9)), 1, 'and claims its own');
reset session authorization;
select is((select count(*)::integer from task.claim(:worker, 9)), 1, 'people and tests may speak for any');
select process.unregister(:worker) is null as done \gset
select is((select end_reason from ccp.processes where id = :worker), 'stopped', 'a program that stops says so');
select is((select status from ccp.task_rows where kind = 'system.noop'), 'queued', 'and leaves its tasks to the next');
select is((select array_agg(alive) from process.beat(:worker, '{}')), '{f}', 'it is dead then');
select throws_ok(format('select process.unregister(%s)', :worker), 'CP401', null, 'and leaves once');

select * from finish();
rollback;
