-- A program that starts: its row, its queue, and what becomes of its predecessor.
begin;
\ir ../hosts.psql
select plan(20);

select results_eq(
    $$select queue from ccp.processes where ended_at is null order by program$$,
    $$select unnest(array['ccp_agent_' || (select id from ccp.nodes), 'ccp_worker'])$$,
    'an agent serves its node''s queue, the worker its own'
);
select matches(
    (select cluster from process.register('ccp-api', 'node1', 3, 'test')), '^\d+/' || current_database() || '$',
    'the cluster''s name is its system identifier and the database'
);
select throws_ok($$select process.register('ccp-web', 'node1', 4, 'test')$$, '23514', null, 'only the known programs');
select throws_ok($$select process.register('ccp-api', '-bad', 4, 'test')$$, '23514', null, 'a node has a host''s name');
create temporary table other as select (process.register('ccp-agent', 'node2', 5, 'test')).*;
select is(
    (select node_id from other), (select id from ccp.nodes where name = 'node2'), 'another machine becomes a node'
);
select is(
    (select count(*)::integer from ccp.processes where program = 'ccp-agent' and ended_at is null), 2,
    'an agent there does not replace the one here'
);

-- What the predecessor held is released at once, and only that.
select t.run();
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select h.user_id, h.id, p.process_id, 'key', '127.0.0.1'
from ccp.hosts as h, process.register('ccp-sshproxy', 'node1', 6, 'test') as p;
select t.ask('host.stop');
create temporary table c as
select k.*, p.id as predecessor from t.claim() as k, ccp.processes as p where p.id = k.process_id;
create temporary table successor as select (process.register('ccp-agent', 'node1', 7, 'test')).*;
select is(
    (select end_reason from ccp.processes where id = (select predecessor from c)), 'replaced', 'its predecessor is dead'
);
select is((select status from ccp.task_rows where id = (select id from c)), 'queued', 'its task waits again');
select is((select attempt from ccp.task_rows where id = (select id from c)), 0, 'with its try given back');
select is((select losses from ccp.task_rows where id = (select id from c)), 1, 'and its loss counted');
select is((select count(*)::integer from ccp.sessions where ended_at is null), 1, 'a session of another program lives on');
select is(task.succeed((select id from c), (select lease from c), '{}'), 'stale', 'what the dead one still reports is stale');
select is(task.progress((select id from c), (select lease from c), 'x', 1, 'x'), 'stale', 'so is its progress');
select throws_ok(
    format('select task.claim(%s, 1)', (select predecessor from c)), 'CP401', null, 'it claims nothing'
);
select throws_ok(
    format('select host.observe(%s, %L, 1, ''running'', null, null, clock.now())', (select predecessor from c), t.host()),
    'CP401', null, 'and sees nothing'
);
select is(
    (select count(*)::integer from task.claim((select process_id from successor), 1)), 1, 'the successor takes the task'
);
update ccp.sessions set end_requested_at = null, end_reason = null where end_reason = 'host_stopping';
select process.register('ccp-sshproxy', 'node1', 8, 'test') is not null as done \gset
select is((select end_reason from ccp.sessions), 'process_gone', 'a replaced ssh proxy''s sessions are over');
select is((select count(*)::integer from ccp.events where type = 'ssh.session.closed'), 1, 'the audit log has it');

set session authorization ccp_worker;
select throws_ok(
    $$select process.register('ccp-agent', 'node1', 9, 'test')$$, 'CP403', 'ccp_worker may not speak for ccp-agent',
    'a program''s role registers its own program only'
);
reset session authorization;
select process.unregister((select process_id from successor)) is null as done \gset
select is(
    (select status || ' ' || losses from ccp.task_rows where id = (select id from c)), 'queued 2',
    'a program that leaves without handing back loses its task too'
);

select * from finish();
rollback;
