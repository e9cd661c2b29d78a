-- The people's views answer in sentences, whatever is going on.
begin;
\ir ../hosts.psql
select plan(53);

create function t.task_why(p_kind text default 'host.start') returns text language sql as $$
    select why from ccp.task_status where kind = p_kind order by finished_at desc limit 1
$$;
create function t.host_why() returns text language sql as $$ select why from ccp.host_status where host = 'abcdef' $$;
create function t.doctor(p_name text) returns text language sql as $$
    select case when ok then 'ok: ' else 'not ok: ' end || why from ccp.doctor where name = p_name
$$;

select is(clock.span('59.6 seconds'), '60 s', 'spans are said in seconds');
select is(clock.span('100 seconds'), '2 min', 'minutes');
select is(clock.span('3 hours'), '3 h', 'hours');
select is(clock.span('50 hours'), '2 d', 'and days');

-- Waiting.
select t.at('2099-01-01 00:00:00');
select is(t.host_why(), 'host abcdef of alice is made and does not run', 'a stopped host says so');
savepoint wireguard;
update ccp.egress_ips
set tunnel_type = 'proxy', wg_endpoint = null, wg_public_key = null, wg_allowed_ips = null, wg_dns_server = null, wg_peer_address = null,
    wg_mtu = null, proxy_config = '{"type": "http", "server": "198.51.100.1", "server_port": 80}', dns_server = '198.51.100.53';
select is(
    t.host_why(), 'host abcdef of alice is made and does not run; its exit carries no UDP but names', 'so does one behind a proxy without UDP'
);
update ccp.egress_ips set proxy_config = proxy_config || '{"type": "socks", "udp": false}';
select alike(t.host_why(), '%; its exit carries no UDP but names', 'also if the proxy could');
update ccp.egress_ips set proxy_config = proxy_config || '{"type": "socks", "udp": true}';
select is(t.host_why(), 'host abcdef of alice is made and does not run', 'one that does says nothing');
update ccp.egress_ips set proxy_config = proxy_config - 'udp';
select is(t.host_why(), 'host abcdef of alice is made and does not run', 'as most do');
rollback to wireguard;
select t.ask('host.start');
select t.at('2099-01-01 00:00:02');
select is(t.task_why(), 'host.start has waited 2 s to be claimed', 'a queued task says how long');
select is(
    t.host_why(), 'host abcdef of alice is being started, or waits for it; host.start waits', 'and its host what it waits for'
);
update ccp.processes set beat_at = clock.now() - interval '17 seconds';
select is(t.task_why(), 'host.start waits, and ccp-agent on node1 has not been heard of for 17 s', 'also when nobody comes');
select is(
    (select why from ccp.workers where program = 'ccp-agent'),
    'ccp-agent on node1 has been silent for 17 s: at 20 s it is declared dead', 'a silent program says so'
);
select is((select status from ccp.workers where program = 'ccp-agent'), 'silent', 'in a word too');
select process.declare_dead(t.agent(), 'silent') as done \gset
select t.at('2099-01-01 00:05:00');
select is(t.task_why(), 'host.start waits, and no ccp-agent runs on node1', 'also when nobody is left who could');
select is(
    (select why from ccp.workers where program = 'ccp-agent'),
    'ccp-agent on node1 ended 5 min ago (it was not heard of for 20 s) and nothing has taken its place', 'a dead program says why'
);
select is(
    t.doctor('agent'), 'not ok: no ccp-agent is heard of on node1: its hosts close when their proofs run out', 'and the doctor what it means'
);
select is((select why from ccp.stuck), 'host.start waits, and no ccp-agent runs on node1', 'the task is stuck');
select is(t.doctor('stuck'), 'not ok: ccp.stuck tells why these do not move: task host.start abcdef', 'which the doctor sees');
update ccp.users set expires_at = clock.now();
select is(
    t.task_why(), 'host.start is not begun, because its user is expired; the next tick cancels it', 'a task of an expired user says so'
);
update ccp.users set expires_at = null;

-- Running.
select process.register('ccp-agent', 'node1', 3, 'test') as done \gset
create temporary table c as select * from t.claim();
select is(t.task_why(), 'host.start runs for 0 s on try 1: it has not said yet what it does', 'a claimed task has nothing to say yet');
select task.progress(id, lease, 'verifying', 60, 'Proving the exit') as done from c \gset
select is(t.task_why(), 'host.start runs for 0 s on try 1: Proving the exit', 'then it tells its step');
select t.ask('host.stop');
select t.at('2099-01-01 00:05:07');
select is(
    t.task_why(), 'host.start was asked to stop 7 s ago, because another request takes its place', 'one that is to stop says why'
);
select is(t.task_why('host.stop'), 'host.stop waits for host.start on the same host to end', 'the other says for what it waits');
select is(
    t.host_why(),
    'host abcdef of alice is being started, or waits for it; host.start runs (Proving the exit) and is to stop, host.stop waits',
    'the host tells both'
);
select t.at('2099-01-01 00:06:10');
select matches(
    (select why from ccp.stuck where name = 'host.start abcdef'), '^it should have ended 10 s ago: host.start was asked to stop',
    'a task past its deadline is stuck'
);
select is((select count(*)::integer from ccp.stuck), 1, 'one that waits for it is not');

-- Ended.
select is(task.canceled(id, lease, 'stopped'), 'ok', 'it stops') from c;
select is(t.task_why(), 'host.start was canceled: stopped', 'a canceled task says so');
select is(
    t.task_why('host.stop'), 'host.stop was done in 70.0 s, asked for by ' || session_user || ': nothing to do: the host is stopped',
    'one that found its work done too'
);
select t.ask('host.start');
update c set lease = r.lease, id = r.id from t.claim() as r;
select task.fail(id, lease, 'exit_mismatch', 'left as 203.0.113.9', false) as done from c \gset
select t.at('2099-01-01 00:06:12');
select is(
    (select why from ccp.task_status where id = (select id from c)),
    'host.start failed on try 1 (exit_mismatch): left as 203.0.113.9', 'a failed one tells why'
);
select is(
    t.host_why(),
    'host abcdef of alice is closed: its exit is not proven; since 2 s; exit_mismatch: left as 203.0.113.9; tried again in 3 s',
    'and so does its host, and what comes next'
);
select t.at('2099-01-01 00:10:00');
select is(
    (select why from ccp.stuck where what = 'host'),
    'host abcdef has been unavailable for 4 min and is wanted running: no program ticks; start ccp-worker',
    'if nothing comes next it is stuck, for want of a tick'
);
select is(
    t.doctor('tick'), 'not ok: time has never passed for the rules; the worker ticks each second, pg_cron each minute',
    'the doctor sees that too'
);
update ccp.ticks set ticked_at = clock.now() - interval '2 seconds' where who = 'worker';
select is(
    (select why from ccp.stuck where what = 'host'),
    'host abcdef has been unavailable for 4 min and is wanted running: the last try failed: left as 203.0.113.9',
    'with a tick, for what went wrong'
);
select matches(t.doctor('tick'), '^ok: time last passed for the rules 2 s ago', 'and the doctor is content');
update ccp.bindings set ended_at = clock.now();
select matches((select why from ccp.stuck where what = 'host'), 'bind an exit to it$', 'or for want of an exit');
select matches(t.host_why(), 'it has no exit; it is wanted running and cannot be without one$', 'which the host says too');

-- Running hosts and who is in them.
update ccp.bindings set ended_at = null;
select t.run();
select is(t.host_why(), 'host abcdef of alice runs; no proof of its exit is known yet', 'a running host says so');
select host.observe(t.agent(), t.host(), 7, 'running', 'docker_failed', 'Docker is stuck with it', clock.now());
select is(
    t.host_why(), 'host abcdef of alice runs; no proof of its exit is known yet; Docker is stuck with it', 'and what its agent cannot do with it'
);
select host.observe(t.agent(), t.host(), 8, 'running', null, null, clock.now());
insert into ccp.sessions (user_id, host_id, process_id, method, address, created_at)
select user_id, id, t.worker(), 'key', '198.51.100.77', clock.now() - interval '3 hours' from ccp.hosts;
select is(
    (select why from ccp.now where what = 'session'), 'alice has been in host abcdef by ssh from 198.51.100.77 for 3 h', 'so does who is in it'
);
update ccp.sessions set end_requested_at = clock.now() - interval '1 minute', end_reason = 'disabled';
select matches((select why from ccp.now where what = 'session'), 'is being sent away \(disabled\)$', 'and who has to leave');
select matches((select why from ccp.stuck where what = 'session'), '^a session of alice should have ended 60 s ago \(disabled\)', 'and does not');
update ccp.users set disabled_at = clock.now();
select is(
    t.host_why(),
    'host abcdef of alice runs; no proof of its exit is known yet; its user is disabled; it is wanted stopped, and the next tick sees to that',
    'a host whose user is disabled says what will become of it'
);
select matches(t.doctor('proofs'), '^ok', 'a start is a proof');
select t.at('2099-01-01 00:30:01');
select is(
    t.doctor('proofs'), 'not ok: these are said to run and are closed, because the last proof of their exits has ended: abcdef; see the agent''s log', 'without a known proof it is closed'
);

-- What else the doctor looks at.
select is(
    t.doctor('settings'),
    'not ok: no host can be started before these are in ccp.settings: connect_targets, dns_check_zone, echo_urls (at least 3)',
    'missing settings are named'
);
update ccp.settings set value = '["http://a", "http://b", "http://c"]' where name = 'echo_urls';
update ccp.settings set value = '["a:80", "b:443"]' where name = 'connect_targets';
update ccp.settings set value = '"zone"' where name = 'dns_check_zone';
select matches(t.doctor('settings'), '^ok', 'until they are set');
select matches(t.doctor('keys'), 'no key signs tokens', 'missing keys are named');
select matches(t.doctor('sshproxy'), 'no ccp-sshproxy is heard of: nobody can come in by ssh', 'missing programs too');
set local test.now = '2120-01-01';
select matches(t.doctor('months'), 'events_2120_01, events_2120_02, verifications_2120_01', 'and missing months');

select is((select count(*)::integer from ccp.rules), 13, 'the rules list every kind');
select is_empty(
    $$select c.oid::regclass
    from pg_class as c
    where c.relnamespace = 'ccp'::regnamespace
        and c.relkind = 'v'
        and c.relname <> 'tasks'
        and not exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'why')$$,
    'every view has a column why'
);

select * from finish();
rollback;
