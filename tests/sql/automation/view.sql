-- What ccp_automation can do: insert into ccp.tasks, read the views, nothing else.
begin;
\ir ../hosts.psql
select plan(18);

set local role ccp_automation;
select lives_ok(
    $$insert into ccp.tasks (kind, host_id) select 'host.start', id from ccp.host_status returning id, status$$,
    'automation starts a host by an insert'
);
select is(
    (select count(distinct id)::integer from ccp.tasks), 1, 'the same insert again returns the live row'
);
select results_eq(
    $$with i as (
        insert into ccp.tasks (kind, host_id) select 'host.start', id from ccp.host_status returning id
    ) select id from i$$,
    $$select id from ccp.tasks$$, 'with its id'
);
select throws_ok($$insert into ccp.tasks (kind) values ('host.start')$$, 'CP422', null, 'a wrong insert is refused');
select lives_ok(
    $$insert into ccp.tasks (kind, params, idempotency_key) values ('system.noop', '{"label": "x"}', 'k') on conflict do nothing$$,
    'it may say what to do in a conflict'
);
copy ccp.tasks (kind, params) from stdin;
system.noop	{"label": "y"}
system.noop	{"label": "z"}
\.
select is((select count(*)::integer from ccp.tasks where kind = 'system.noop'), 3, 'it may copy many');
select throws_ok(
    $$insert into ccp.tasks (kind, status) values ('system.noop', 'succeeded')$$, '42501', null, 'it says nothing of how a task goes'
);
select throws_ok(
    $$insert into ccp.tasks (kind, created_by) values ('system.noop', 'alice')$$, '42501', null, 'nor of who asks'
);
select throws_ok($$update ccp.tasks set status = 'succeeded'$$, '42501', null, 'it updates no task');
select throws_ok($$delete from ccp.tasks$$, '42501', null, 'it deletes no task');
select throws_ok($$select * from ccp.task_rows$$, '42501', null, 'it reads no table');
select throws_ok($$select * from ccp.users$$, '42501', null, 'nor the users');
select throws_ok($$select task.claim(1, 1)$$, '42501', null, 'it claims nothing');
select throws_ok($$select task.enqueue('system.noop')$$, '42501', null, 'it calls no function');
select matches(
    (select why from ccp.task_status where kind = 'host.start'), 'host.start has waited \d+ s to be claimed', 'the view tells it in a sentence'
);
select throws_ok($$select * from ccp.exit_peers$$, '42501', null, 'who leaves where with which key is not its affair');
select throws_ok($$select * from ccp.host_wants$$, '42501', null, 'nor what is behind the sentences');
select isnt_empty($$select * from ccp.now$$, 'and everything that goes on');

select * from finish();
rollback;
