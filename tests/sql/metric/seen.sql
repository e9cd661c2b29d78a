-- What the database itself sees: programs, queues, hosts, proofs, sessions, disks, ticks.
begin;
\ir ../hosts.psql
select plan(31);

create function t.gauge(p_name text, p_labels jsonb default '{}') returns double precision language sql as $$
    select s.value from metric.seen() as s where s.name = p_name and s.labels @> p_labels
$$;
create function t.queue(p_what text) returns text language sql as $$
    select p.queue from ccp.processes as p where p.program = p_what and p.ended_at is null
$$;

select t.at('2099-01-01');
select is(t.gauge('ccp_program_up', '{"program": "ccp-agent"}'), 1::double precision, 'an agent that beats is up');
select is(t.gauge('ccp_program_up', '{"program": "ccp-api"}'), null, 'one that never was is not there');
select set_config('test.now', '2099-01-01 00:00:14+00', true) is null as done \gset
select is(t.gauge('ccp_program_up', '{"program": "ccp-agent"}'), 1::double precision, 'also after 14 seconds');
select set_config('test.now', '2099-01-01 00:00:16+00', true) is null as done \gset
select is(t.gauge('ccp_program_up', '{"program": "ccp-agent"}'), 0::double precision, 'a silent one is not up');
select t.at('2099-01-01');
select is(
    (select s.labels ->> 'version' from metric.seen() as s where s.name = 'ccp_program_info' and s.labels ->> 'program' = 'ccp-agent'),
    'test', 'its version is told'
);
select is(
    t.gauge('ccp_program_start_time_seconds', '{"program": "ccp-agent"}'),
    (select extract(epoch from started_at)::double precision from ccp.processes where id = t.agent()), 'and since when it runs'
);

select is(t.gauge('ccp_hosts', '{"status": "stopped"}'), 1::double precision, 'hosts are counted by status');
select is(t.gauge('ccp_hosts', '{"status": "running"}'), 0::double precision, 'those without any too');
select is(t.gauge('ccp_hosts', '{"status": "deleted"}'), null, 'but no tombstones');
select is(t.gauge('ccp_users', '{"state": "active"}'), 1::double precision, 'users are counted by state');
update ccp.users set disabled_at = clock.now() where username = 'alice';
select is(t.gauge('ccp_users', '{"state": "active"}'), 0::double precision, 'one that is disabled');
select is(t.gauge('ccp_users', '{"state": "disabled"}'), 1::double precision, 'is no active one');
update ccp.users set disabled_at = null where username = 'alice';

select is(t.gauge('ccp_queue_age_seconds', jsonb_build_object('queue', t.queue('ccp-agent'))), 0::double precision, 'an empty queue has no age');
select id as task from t.ask('host.start') \gset
select t.at('2099-01-01 00:00:07');
select is(
    t.gauge('ccp_queue_age_seconds', jsonb_build_object('queue', t.queue('ccp-agent'))), 7::double precision,
    'it is as old as the task that waits'
);
select is(t.gauge('ccp_tasks', '{"status": "queued"}'::jsonb || jsonb_build_object('queue', t.queue('ccp-agent'))), 1::double precision, 'which is counted');
update ccp.task_rows set run_at = '2099-01-01 01:00:00+00' where id = :'task';
select is(
    t.gauge('ccp_queue_age_seconds', jsonb_build_object('queue', t.queue('ccp-agent'))), 0::double precision,
    'one whose time has not come does not wait'
);
update ccp.task_rows set run_at = '2099-01-01 00:00:00+00' where id = :'task';
select t.queue('ccp-agent') as agent_queue \gset
select t.claim() is not null as done \gset
select is(t.gauge('ccp_tasks', jsonb_build_object('queue', :'agent_queue', 'status', 'running')), 1::double precision, 'then it runs');
select is(t.gauge('ccp_tasks', jsonb_build_object('queue', :'agent_queue', 'status', 'queued')), 0::double precision, 'and waits no more');

select is(t.gauge('ccp_proof_age_max_seconds'), null, 'without a running host there is no proof to have an age');
select t.succeed() as done \gset
insert into ccp.observations (host_id, process_id, sequence, state, observed_at, proven_at, proof_ends_at)
values (t.host(), t.agent(), 1000, 'running', clock.now(), '2099-01-01', '2099-01-01 00:15:00+00')
on conflict (host_id) do update set proven_at = excluded.proven_at;
select is(t.status(), 'running', 'the host runs');
select is(t.gauge('ccp_proof_age_max_seconds'), 7::double precision, 'its proof has one');
select is(t.gauge('ccp_proof_life_seconds'), 900::double precision, 'and an end');

select is(t.gauge('ccp_sessions', '{"kind": "ssh"}'), 0::double precision, 'nobody is in');
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select h.user_id, h.id, t.agent(), 'key', '192.0.2.1'
from ccp.hosts as h
where h.id = t.host();
select is(t.gauge('ccp_sessions', '{"kind": "ssh"}'), 1::double precision, 'somebody is');
update ccp.sessions set ended_at = clock.now(), end_reason = 'closed';
select is(t.gauge('ccp_sessions', '{"kind": "ssh"}'), 0::double precision, 'and has left');

update ccp.nodes set disk_free_bytes = 10, disk_bytes = 100;
select is(t.gauge('ccp_node_disk_free_bytes') / t.gauge('ccp_node_disk_bytes'), 0.1::double precision, 'a disk is nearly full');
update ccp.ticks set ticked_at = '2099-01-01' where who = 'worker';
select is(t.gauge('ccp_tick_age_seconds', '{"who": "worker"}'), 7::double precision, 'a tick has an age');
update ccp.tick_rules set failed_at = clock.now(), error = 'no' where rule = 'account.enforce';
select is(t.gauge('ccp_tick_rules_failing'), 1::double precision, 'a rule that fails is counted');

select process.declare_dead(t.worker(), 'silent') as done \gset
select is(t.gauge('ccp_program_up', '{"program": "ccp-worker"}'), 0::double precision, 'a dead program is not up and not forgotten');
select is(t.gauge('ccp_queue_age_seconds', '{"queue": "ccp_worker"}'), null, 'nobody works on its queue');
select t.at('2099-01-08 00:00:08');
select is(t.gauge('ccp_program_up', '{"program": "ccp-worker"}'), null, 'after a week it is forgotten');

select * from finish();
rollback;
