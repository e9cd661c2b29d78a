-- What ccp_automation can do: insert into ccp.tasks, read the views, nothing else.
begin;
\ir ../hosts.psql
select plan(12);

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
select throws_ok($$update ccp.tasks set status = 'succeeded'$$, '42501', null, 'it updates no task');
select throws_ok($$delete from ccp.tasks$$, '42501', null, 'it deletes no task');
select throws_ok($$select * from ccp.task_rows$$, '42501', null, 'it reads no table');
select throws_ok($$select * from ccp.users$$, '42501', null, 'nor the users');
select throws_ok($$select task.claim(1, 1)$$, '42501', null, 'it claims nothing');
select throws_ok($$select task.enqueue('system.noop')$$, '42501', null, 'it calls no function');
select matches(
    (select why from ccp.task_status), 'host.start has waited \d+ s to be claimed', 'the view tells it in a sentence'
);
select isnt_empty($$select * from ccp.now$$, 'and everything that goes on');

select * from finish();
rollback;
