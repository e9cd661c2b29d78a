-- What a request reads does not grow with the queue, whatever plans were made while the queue was empty.
begin;
\ir ../hosts.psql
select plan(6);

create function t.read() returns bigint language sql volatile as $$
    select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
    from pg_stat_xact_all_tables
    where relid = 'ccp.task_rows'::regclass
$$;
create function t.many(p_from integer, p_to integer) returns bigint language sql volatile as $$
    with made as (
        insert into ccp.tasks (kind, params)
        select 'system.noop', jsonb_build_object('label', n::text) from generate_series(p_from, p_to) as n
        returning id
    )
    select count(*) from made
$$;

select t.run();
select is(t.many(1, 1000), 1000::bigint, 'a thousand tasks are enqueued by one statement');
create temporary table before as select t.read() as n;
select is(t.many(1001, 1500), 500::bigint, 'and more behind them');
select cmp_ok(t.read() - (select n from before), '<=', 1000::bigint, 'each new one reads two: the head of the queue, and the last of its own kind');
update before set n = t.read();
select is(t.many(1, 500), 500::bigint, 'the same requests again return their live rows');
select cmp_ok(t.read() - (select n from before), '<=', 2000::bigint, 'each by a look at the row beside those for a turn');
update before set n = t.read();
select t.ask('host.stop');
select t.work();
select cmp_ok(t.read() - (select n from before), '<=', 40::bigint, 'a host''s task passes by the worker''s queue');

select * from finish();
rollback;
