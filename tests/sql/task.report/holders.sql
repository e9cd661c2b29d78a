-- Who may report on a task: the program that runs it. A lease is a number that others can guess.
begin;
\ir ../hosts.psql
select plan(16);

select t.ask('host.start');
create temporary table c as select * from t.claim();
select task.enqueue('system.noop');
create temporary table n as select task_id as id, lease from task.claim(t.worker(), 1);
grant select on c, n to public;

create function t.refused(p_report text, p_sentence text) returns text language sql as $$
    select throws_ok(p_report, 'CP403', p_sentence, p_report || ' is refused')
$$;
set session authorization ccp_worker;
select t.refused('select task.progress(id, lease, ''x'', 1, ''x'') from c', 'ccp_worker may not speak for ccp-agent');
select t.refused('select task.succeed(id, lease, ''{}'') from c', 'ccp_worker may not speak for ccp-agent');
select t.refused('select task.fail(id, lease, ''x'', ''x'', true) from c', 'ccp_worker may not speak for ccp-agent');
select t.refused('select task.canceled(id, lease, ''x'') from c', 'ccp_worker may not speak for ccp-agent');
select t.refused('select task.hand_back(id, lease) from c', 'ccp_worker may not speak for ccp-agent');
set session authorization ccp_agent;
select t.refused('select task.progress(id, lease, ''x'', 1, ''x'') from n', 'ccp_agent may not speak for ccp-worker');
select t.refused('select task.succeed(id, lease, ''{}'') from n', 'ccp_agent may not speak for ccp-worker');
select t.refused('select task.fail(id, lease, ''x'', ''x'', true) from n', 'ccp_agent may not speak for ccp-worker');
select t.refused('select task.canceled(id, lease, ''x'') from n', 'ccp_agent may not speak for ccp-worker');
select t.refused('select task.hand_back(id, lease) from n', 'ccp_agent may not speak for ccp-worker');
reset session authorization;
select is(
    (select string_agg(concat_ws(' ', k.kind, k.status, k.stage, k.reported), ', ' order by k.kind) from ccp.task_rows as k),
    'host.start running, system.noop running', 'and changes nothing'
);
set session authorization ccp_agent;
select is(task.progress(id, lease, 'x', 1, 'x'), 'ok', 'the program that runs a task says how far it is') from c;
select is(task.succeed(id, lease, '{}'), 'ok', 'and that it is done') from c;
set session authorization ccp_worker;
select is(task.progress(id, lease, 'x', 1, 'x'), 'stale', 'nobody reports on what is over') from c;
select is(task.progress(id, lease, 'x', 1, 'x'), 'ok', 'the worker reports on its own') from n;
select is(task.succeed(id, lease, '{}'), 'ok', 'to the end') from n;

select * from finish();
rollback;
