-- What reconciliation does with a host in each status for each wish, and what it leaves alone.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(34);

select t.at('2099-01-01');
-- A host put into a status, past the guard; what reconciliation asks for, taken back again.
create function t.remedy(p_status text, p_desired text, p_key text default repeat('B', 43) || '=') returns text language plpgsql as $$
declare
    v_kind text;
    v_id uuid;
begin
    set local session_replication_role = replica;
    update ccp.hosts set status = p_status, desired = p_desired, wg_public_key = p_key where id = t.host();
    set local session_replication_role = origin;
    v_id := host.reconcile(t.host());
    select k.kind into v_kind from ccp.task_rows as k where k.id = v_id;
    raise exception 'done' using detail = coalesce(v_kind, 'nothing');
exception
    when raise_exception then
        get stacked diagnostics v_kind = pg_exception_detail;
        return v_kind;
end
$$;
select results_eq(
    $$select s.status || ' ' || w.desired, t.remedy(s.status, w.desired)
    from unnest('{pending,running,stopped,unavailable,failed}'::text[]) with ordinality as s (status, n)
    cross join unnest('{running,stopped,absent}'::text[]) with ordinality as w (desired, n) order by s.n, w.n$$,
    $$values
        ('pending running', 'host.create'), ('pending stopped', 'host.create'), ('pending absent', 'host.delete'),
        ('running running', 'nothing'), ('running stopped', 'host.stop'), ('running absent', 'host.delete'),
        ('stopped running', 'host.start'), ('stopped stopped', 'nothing'), ('stopped absent', 'host.delete'),
        ('unavailable running', 'host.start'), ('unavailable stopped', 'host.stop'), ('unavailable absent', 'host.delete'),
        ('failed running', 'host.start'), ('failed stopped', 'host.stop'), ('failed absent', 'host.delete')$$,
    'the remedy for each status and wish'
);
select is(t.remedy('failed', 'running', null), 'host.create', 'a host that was never created is created before it is started');
select is(t.remedy('failed', 'stopped', null), 'host.create', 'or stopped');
select is(t.remedy('failed', 'absent', null), 'host.delete', 'but not before it is deleted');
select is(host.reconcile(gen_random_uuid()), null, 'a host that does not exist needs nothing');
update ccp.bindings set ended_at = clock.now() where exit_label = 'exit1';
select is(t.remedy('stopped', 'running'), 'nothing', 'without an exit a host is not started');
select is(t.remedy('unavailable', 'stopped'), 'host.stop', 'but stopped');
update ccp.bindings set ended_at = null;

-- With the parameters that it was last asked for.
select task.enqueue('host.delete', t.second(), '{"wipe": "true"}');
update ccp.task_rows set created_at = clock.now() + interval '1 minute';
select is(host.reconcile(t.host()), null, 'nothing is asked for without need');
select task.enqueue('host.rebuild', t.host(), '{"mode": "wipe"}');
select task.succeed(task_id, lease, '{}') from task.claim(t.agent(), 9);
update ccp.hosts set desired = 'running' where id = t.host();
select is(t.live(), 'nothing', 'a host that was rebuilt and another that was deleted');
savepoint before;
set local session_replication_role = replica;
update ccp.hosts set desired = 'absent', status = 'failed' where id = t.host();
set local session_replication_role = origin;
select host.reconcile(t.host()) is not null as asked \gset
select is((select kind || ' ' || params from ccp.task_rows where status = 'queued'), 'host.delete {}', 'a deletion takes no parameter of another host''s');
rollback to before;
select host.reconcile(t.host()) is not null as asked \gset
select is((select kind || ' ' || params from ccp.task_rows where status = 'queued'), 'host.start {}', 'a start takes no parameter of a rebuild');
select t.work();

-- Drift.
create function t.see(p_sequence bigint, p_state text, p_code text default null, p_message text default null) returns text language sql as $$
    select host.observe(t.agent(), t.host(), p_sequence, p_state, p_code, p_message, clock.now())
$$;
create function t.how() returns text language sql as $$
    select concat_ws(' ', status, failures, retry_at - clock.now(), error_code, error_message) from ccp.hosts where id = t.host()
$$;
select t.at('2099-01-01 00:01:00');
select t.ask('host.verify');
select t.claim();
select is(t.see(1, 'closed', 'leak', 'it leaked'), 'ok', 'what is seen while a task works');
select is(t.how(), 'running 0', 'is left to its report');
select t.at('2099-01-01 00:02:00');
select is(t.succeed(), 'ok', 'which comes later');
select is(t.how(), 'running 0', 'and is right');
select t.at('2099-01-01 00:03:00');
select is(t.see(2, 'absent'), 'ok', 'a running host that is gone');
select is(t.how(), 'unavailable 1 00:00:05 drift the agent saw it absent', 'is unavailable, in general words');
select is(
    (select string_agg(concat_ws(' ', level, type, message, metadata), '; ' order by id) from ccp.events
    where type in ('reconcile.host.drift', 'host.unavailable') and host_id = t.host() and user_id is not null),
    'warning reconcile.host.drift host abcdef should be running but is not: the agent saw it absent {"error_code": "drift"}; '
    || 'error host.unavailable host abcdef is unavailable: the agent saw it absent {"error_code": "drift"}', 'the audit log says both'
);
select t.run();
select t.at('2099-01-01 00:04:00');
select is(t.see(3, 'closed', 'exit_mismatch', 'left elsewhere'), 'ok', 'a running host that was closed');
select is(t.how(), 'unavailable 1 00:00:05 exit_mismatch left elsewhere', 'is unavailable for the reason that was seen');
select is(t.see(3, 'running'), 'stale', 'the same news are old news');
select is(t.see(2, 'running'), 'stale', 'so are older ones');
select process.register('ccp-agent', 'node1', 9, 'test');
select is(t.see(1, 'closed'), 'ok', 'a new agent counts from one');
select is(t.see(1, 'running'), 'stale', 'each number once');
select is(
    (select concat_ws(' ', process_id = t.agent(), sequence, state, code, message) from ccp.observations), 't 1 closed', 'the last news are kept'
);
select is(host.observe(t.agent(), t.host(), 9, 'running', null, null, clock.now() + interval '1 day'), 'ok', 'news are not from the future');
select is((select observed_at from ccp.observations), timestamptz '2099-01-01 00:04:00', 'they are from now');
select is(
    host.observe((select process_id from process.register('ccp-agent', 'node2', 10, 'test')), t.host(), 1, 'running', null, null, clock.now()),
    'not_yours', 'another node sees nothing of it'
);

-- Another host's task, observation and deletion are another's.
select t.run();
update ccp.hosts set desired = 'stopped' where id = t.host();
delete from ccp.observations;
select t.at('2099-01-01 00:05:00');
select is(t.see(2, 'closed'), 'ok', 'a running host that is not wanted running and is closed');
select is(t.live(), 'nothing', 'waits like any that is unavailable');
delete from ccp.observations;
select t.ask('host.stop');
select t.work();
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, wg_public_key)
select 'thirdh', user_id, node_id, 'image', 'running', 'running', repeat('D', 43) || '=' from t.host_row('abcdef');
select host.observe(t.agent(), id, 10, 'closed', 'leak', 'x', clock.now() + interval '1 second') from ccp.hosts where short_id = 'thirdh';
update ccp.observations set observed_at = clock.now() + interval '1 day';
delete from ccp.observations where host_id = t.host();
select is(host.reconcile(t.host()), null, 'a stopped host is not judged by what was seen of another');
select is(t.status(), 'stopped', 'and stays stopped');
select t.ask('host.delete');
select t.work();
select is(t.see(99, 'running'), 'gone', 'a deleted host is gone');

-- An error is an error: only refusals are swallowed.
create function t.fail() returns trigger language plpgsql as $$ begin raise exception 'no more tasks'; end $$;
create trigger t_fail before insert on ccp.task_rows for each row execute function t.fail();
delete from ccp.observations;
update ccp.hosts set retry_at = null, failures = 0, desired = 'stopped' where short_id = 'thirdh';
select throws_ok($$select host.reconcile(id) from ccp.hosts where short_id = 'thirdh'$$, 'P0001', 'no more tasks', 'what is no refusal is raised');

select * from finish();
rollback;
