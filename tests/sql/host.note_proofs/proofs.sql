-- Proofs leave their time in SQL, what is said of a host is computed from it, and a failure that comes again is told once.
begin;
\ir ../hosts.psql
select plan(24);

create function t.why() returns text language sql as $$ select why from ccp.host_status where host = 'abcdef' $$;
create function t.proofs_ok() returns boolean language sql as $$ select ok from ccp.doctor where name = 'proofs' $$;
create function t.told() returns text language sql as $$
    select string_agg(type, ' ' order by id) from ccp.events where type in ('task.failed', 'host.unavailable', 'host.restored', 'tunnel.lost', 'tunnel.restored')
$$;
create function t.fail() returns text language sql as $$
    select task.fail(id, lease, 'tunnel_no_handshake', 'nobody answers', false) from ccp.task_rows where status = 'running'
$$;
select t.at('2099-01-01');
select t.run();
select host.observe(t.agent(), t.host(), 1, 'running', null, null, clock.now());
select matches(t.why(), 'runs; no proof of its exit is known yet', 'a host of which no proof is known');
select host.note_proofs(t.agent(), array[t.host(), t.host()], array[clock.now() - interval '9 seconds', clock.now()], '{900,900}');
select is((select proven_at from ccp.observations), clock.now(), 'of two proofs the later counts');
select host.note_proofs(t.agent(), array[t.host()], array[clock.now() - interval '5 seconds'], '{900}');
select is((select proof_ends_at from ccp.observations), clock.now() + interval '15 minutes', 'also if the earlier comes later');
select t.at('2099-01-01 00:01:30');
select matches(t.why(), 'runs; its exit was proven 90 s ago, and that holds for another 14 min', 'a proof that holds');
select is(t.proofs_ok(), true, 'the doctor is content');
select is((t.ask('host.start')).message, 'nothing to do: the host is running', 'a start has nothing to do');
select host.observe(t.agent(), t.host(), 2, 'running', null, null, clock.now());
select is((select verified_at from ccp.host_status), clock.now() - interval '90 seconds', 'an observation leaves the proof');
set local test.now = '2099-01-01 00:16:00';
select matches(
    t.why(), 'runs; no ccp-agent is heard of on node1; it is closed: its exit was last proven 16 min ago, that ended 60 s ago, and the next proof opens it again',
    'a proof that has ended, with the agent away'
);
select is(t.proofs_ok(), false, 'the doctor is not');
select is(
    (t.ask('host.start')).message,
    'nothing to do: the host is running; it is closed: its exit was last proven 16 min ago, that ended 60 s ago, and the next proof opens it again',
    'a start does not say that all is well'
);
select matches((select why from ccp.doctor where name = 'proofs'), 'said to run and are closed.*: abcdef', 'and names the host');
select host.note_proofs(t.agent(), array[t.host()], array[clock.now() + interval '1 hour'], '{60}');
select is((select proven_at from ccp.observations), clock.now(), 'an agent''s clock that is ahead is not believed');
select is(t.proofs_ok(), true, 'a new proof opens it');
update ccp.hosts set node_id = (select id from ccp.nodes where name = 'other') where false;
insert into ccp.nodes (name) values ('node2');
insert into ccp.processes (program, node_id, queue, pid, version) select 'ccp-agent', id, 'ccp_agent_' || id, 7, 'x' from ccp.nodes where name = 'node2';
select t.at('2099-01-01 00:16:30');
select host.note_proofs((select max(id) from ccp.processes), array[t.host()], array[clock.now()], '{60}');
select is((select proven_at from ccp.observations), clock.now() - interval '30 seconds', 'nor is another node''s agent');
delete from ccp.processes where version = 'x';

-- An exit that fails again and again.
select host.observe(t.agent(), t.host(), 3, 'stopped', 'tunnel_no_handshake', 'nobody answers', clock.now());
select is(t.told(), 'host.unavailable', 'that it is unavailable is told');
select is((select ok from ccp.doctor where name = 'hosts'), false, 'the doctor says so at once');
select t.at('2099-01-01 00:17:00');
select clock.tick('worker');
select t.claim();
select is(t.fail(), 'failed', 'reconciliation tries in vain');
select is(t.told(), 'host.unavailable', 'which is not told again');
select matches(t.why(), 'is closed: its exit is not proven; since 0 s; tunnel_no_handshake: nobody answers; tried again in 10 s', 'but people read when the next try is');
select t.at('2099-01-01 00:18:00');
select clock.tick('worker');
select t.work();
select is(t.told(), 'host.unavailable host.restored', 'that it is back is told');
select t.ask('host.stop');
select t.work();
select is((t.ask('host.stop')).message, 'nothing to do: the host is stopped', 'of a stopped host nobody is told that its proof has ended');
select t.ask('host.start');
select t.claim();
select t.fail();
select is(t.told(), 'host.unavailable host.restored task.failed host.unavailable', 'what a person asked for is always told');
select verification.record(t.agent(), t.host(), null, 'start', 'failed', 'tunnel_no_handshake', null, '[1]', 1, clock.now());
select t.at('2099-01-01 00:18:10');
select verification.record(t.agent(), t.host(), null, 'start', 'failed', 'tunnel_no_handshake', null, '[2]', 1, clock.now());
select is((select count(*)::integer from ccp.events where type = 'tunnel.lost'), 1, 'a lost tunnel is told once');
select t.at('2099-01-01 00:18:20');
select verification.record(t.agent(), t.host(), null, 'start', 'passed', null, null, '[3]', 1, clock.now());
select is((select count(*)::integer from ccp.events where type = 'tunnel.restored'), 1, 'and once that it is back');

select * from finish();
rollback;
