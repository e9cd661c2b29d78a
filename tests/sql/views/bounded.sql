-- What people look at first is short, however much there is: troubles come first, and what is left out is counted.
begin;
\ir ../hosts.psql
select plan(32);

create function t.seen(p_what text) returns text language sql as $$
    select string_agg(format('%s %s', name, status), ', ') from ccp.now where what = p_what
$$;
create function t.ok() returns boolean language sql as $$ select ok from ccp.host_status where host = 'abcdef' $$;

-- Whether a host is as it should be.
select t.at('2099-01-01');
select ok(t.ok(), 'a stopped host is as it should be');
update ccp.hosts set desired = 'running';
select ok(not t.ok(), 'not when it is wanted running');
select t.ask('host.start');
select ok(t.ok(), 'unless a task sees to that');
update ccp.users set disabled_at = clock.now();
select task.cancel(id, 'test') from ccp.task_rows where status = 'queued';
select ok(t.ok(), 'or its user may not have it run');
update ccp.users set disabled_at = null;
select t.run();
select ok(t.ok(), 'a start is a proof');
select t.at('2099-01-01 00:01:00');
select ok(not t.ok(), 'for a minute');
insert into ccp.observations (host_id, process_id, sequence, state, observed_at, proven_at, proof_ends_at)
values (t.host(), t.agent(), 1, 'running', clock.now(), clock.now(), clock.now() + interval '10 minutes');
select ok(t.ok(), 'a proof that holds keeps it open');
insert into ccp.ssh_faults (host_id, user_id, what, since, message)
select id, user_id, 'login', clock.now(), 'it is silent' from ccp.hosts;
select ok(not t.ok(), 'which is not enough when nobody can come in');
delete from ccp.ssh_faults;
update ccp.observations set disk_excess = 'it takes too much';
select ok(not t.ok(), 'or when it takes too much of the disk');
update ccp.observations set disk_excess = null;
update ccp.processes set beat_at = clock.now() - interval '1 hour' where program = 'ccp-agent';
select ok(not t.ok(), 'or when its agent is away');
select t.at('2099-01-01 00:01:01');
select ok(t.ok(), 'until it is back');
update ccp.hosts set status = 'unavailable', desired = 'stopped';
select ok(not t.ok(), 'one that is closed is not as it should be');
update ccp.hosts set status = 'deleting', desired = 'absent';
update ccp.hosts set status = 'deleted', deleted_at = clock.now();
select ok(t.ok(), 'a deleted one is');
set local session_replication_role = replica;
update ccp.hosts set status = 'stopped', desired = 'stopped', deleted_at = null;
set local session_replication_role = origin;

-- A hundred hosts, and one.
insert into ccp.hosts (short_id, user_id, node_id, image, status)
select 'xxx' || to_char(n, 'FM000'), h.user_id, h.node_id, 'image', 'stopped' from ccp.hosts as h, generate_series(1, 99) as n;
select is((select count(*)::integer from ccp.now where what = 'host'), 100, 'a hundred hosts are shown');
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired)
select 'z' || w.desired, h.user_id, h.node_id, 'image', w.status, w.desired
from ccp.hosts as h, (values ('running', 'stopped'), ('stopped', 'failed')) as w (desired, status)
where h.short_id = 'abcdef';
select is((select count(*)::integer from ccp.now where what = 'host'), 101, 'more are not');
select is(
    (select array_agg(name) from (select name from ccp.now where what = 'host' limit 3) as n), '{zstopped,zrunning,abcdef}',
    'what failed comes first, then what is not as it should be'
);
select is(
    (select row(n.*)::text from ccp.now as n where status = 'not shown'),
    '(host,"2 more","not shown","2 more are not shown here, 0 of which are not as they should be: see ccp.host_status",t)',
    'a row says how many are left out'
);
update ccp.hosts set desired = 'running' where short_id ^@ 'x';
select matches((select why from ccp.now where status = 'not shown'), '^2 more are not shown here, 1 of which ', 'and how many of those are not as they should be');
select ok(not (select ok from ccp.now where status = 'not shown'), 'which makes it a trouble');
select is((select array_agg(host) from (select host from ccp.host_status limit 2) as h), '{zstopped,xxx001}', 'all hosts are in the same order');

-- Hosts that do not move.
select t.at('2099-01-01 00:02:00');
update ccp.hosts set status_changed_at = '2099-01-01' where short_id = 'zrunning';
select is((select count(*)::integer from ccp.stuck), 101, 'a hundred that are stuck are told');
select is((select name from ccp.stuck limit 1), 'zrunning', 'the one that has waited longest first');
select is(
    (select row(s.what, s.id, s.name, s.since, s.why)::text from ccp.stuck as s where s.id is null),
    '(host,,"1 more","2099-01-01 00:01:01+00","1 more do not move either, the oldest for 59 s")', 'and how many there are besides'
);
select matches((select why from ccp.doctor where name = 'stuck'), ': host zrunning, host xxx001', 'which the doctor sees');

-- Tasks, queued and running.
insert into ccp.task_rows (kind, host_id, user_id, queue, created_by)
select 'host.start', id, user_id, 'ccp_agent_' || node_id, 'test' from ccp.hosts where short_id ^@ 'x' or short_id = 'zrunning';
insert into ccp.task_rows (kind, queue, params, created_by)
select 'system.noop', 'ccp_worker', jsonb_build_object('n', n), 'test' from generate_series(1, 2) as n;
select is((select count(*)::integer from ccp.now where what = 'task'), 101, 'a hundred tasks are shown');
select matches((select why from ccp.now where what = 'task' and name = '2 more'), ' 0 of which are not as they should be: see ccp.task_status$', 'of more the number');
update ccp.task_rows set run_at = clock.now() - interval '31 seconds' where kind = 'system.noop';
select is((select array_agg(name) from (select name from ccp.now where what = 'task' limit 2) as n), '{system.noop,system.noop}', 'those that wait for long first');
select is((select count(*)::integer from ccp.stuck where what = 'task'), 2, 'which are stuck');
update ccp.task_rows set run_at = clock.now() - interval '40 seconds' where kind = 'host.start';
select is((select name from ccp.stuck where id is null and what = 'task'), '2 more', 'and when many are, it says how many');

-- Sessions.
insert into ccp.sessions (user_id, host_id, process_id, method, address, created_at, end_requested_at, end_reason)
select h.user_id, h.id, t.agent(), 'key', '198.51.100.7', clock.now(), e.at, case when e.at is not null then 'disabled' end
from ccp.hosts as h
cross join generate_series(1, 101) as n
cross join lateral (select case when n = 101 then clock.now() - interval '11 seconds' end as at) as e
where h.short_id = 'abcdef';
select is((select status from ccp.now where what = 'session' limit 1), 'ending', 'who is being sent away comes first');
select is(
    (select row(n.name, n.ok, n.why)::text from ccp.now as n where what = 'session' and status = 'not shown'),
    '("1 more",t,"1 more are not shown here, 0 of which are not as they should be: see ccp.sessions")', 'of many sessions the number is told'
);
update ccp.sessions set end_requested_at = clock.now() - interval '20 seconds', end_reason = 'disabled';
select is((select name from ccp.stuck where id is null and what = 'session'), '1 more', 'of many that should have ended too');

select * from finish();
rollback;
