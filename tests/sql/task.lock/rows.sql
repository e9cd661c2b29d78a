-- Which rows are locked: the host's before anything is decided about it, and no other's. A transaction sees its own locks
-- in rows that earlier ones wrote, so this file commits.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
create function t.noop() returns uuid language sql as $$ select id from ccp.task_rows where kind = 'system.noop' $$;
create function t.start() returns uuid language sql as $$ select id from ccp.task_rows where kind = 'host.start' $$;
-- What this transaction has locked or written.
create function t.locked() returns text language sql volatile as $$
    select coalesce(string_agg(l.name, ' ' order by l.name), 'nothing')
    from (
        select short_id as name, xmax from ccp.hosts
        union all
        select kind, xmax from ccp.task_rows
        union all
        select username, xmax from ccp.users
    ) as l
    where l.xmax::text = pg_current_xact_id()::text
$$;
select t.ask('host.start');
select task.enqueue('system.noop');
commit;
select plan(9);

begin;
select task.lock(gen_random_uuid());
select is(t.locked(), 'nothing', 'an unknown task locks nothing');
select task.lock(t.noop());
select is(t.locked(), 'system.noop', 'a task without a host locks itself');
rollback;
begin;
select task.lock(t.start());
select is(t.locked(), 'abcdef host.start', 'one of a host its host, too, and no other');
rollback;
begin;
select task.enqueue('system.noop');
select is(t.locked(), 'nothing', 'a request without a host locks none');
rollback;
begin;
select t.ask('host.start');
select is(t.locked(), 'abcdef', 'a request for a host its host');
rollback;
begin;
select host.reconcile(t.host());
select is(t.locked(), 'abcdef', 'so does reconciliation');
rollback;
begin;
select host.observe(t.agent(), t.host(), 1, 'running', null, null, clock.now());
select is(t.locked(), 'abcdef', 'and an observation');
rollback;
begin;
select task.claim(t.agent(), 9);
select is((select count(*)::integer from ccp.task_rows where status = 'running'), 1, 'a claim');
select is(t.locked(), 'host.start', 'writes its task and locks no host');
rollback;
