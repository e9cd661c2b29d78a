-- A transaction whose snapshot is too old to see what another session has done is refused like any other request that
-- comes too late. The other session is a psql of its own, so this file commits.
begin;
\ir ../hosts.psql
select t.run();
commit;
select plan(5);

\set ask_noop `echo "select task.enqueue('system.noop')"`
\set ask_verify `echo "select t.ask('host.verify')"`
begin isolation level repeatable read;
select count(*) from ccp.task_rows;
\set done `psql -XAtq -h :'HOST' -U :'USER' -d :'DBNAME' -c :'ask_noop'`
select throws_ok(
    :'ask_noop', 'CP409', 'system.noop met a task that this transaction is too old to see', 'a task of another session that it cannot see is in its way'
);
rollback;
begin isolation level repeatable read;
select count(*) from ccp.task_rows;
\set done `psql -XAtq -h :'HOST' -U :'USER' -d :'DBNAME' -c :'ask_verify'`
select throws_ok(
    :'ask_verify', 'CP409', 'host.verify met a task that this transaction is too old to see', 'so is one of its host'
);
rollback;
begin isolation level repeatable read;
select is((t.ask('host.verify')).status, 'queued', 'what it sees it joins');
rollback;
begin isolation level serializable;
select is((task.enqueue('system.noop', null, '{"label": "new"}')).status, 'queued', 'what is new it enqueues');
rollback;
begin;
select throws_ok($$select task.enqueue('host.dance')$$, 'CP422', null, 'other refusals are what they are');
rollback;
