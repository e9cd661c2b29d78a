-- pg_cron's tick commits each rule before it begins the next, and goes round again while there is more: without time for more
-- than one host a batch. This file commits, so what each transaction wrote is told by its number.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
create or replace function clock.batch_end() returns timestamptz language sql volatile return clock_timestamp() - interval '1 second';
create table t.deeds (rule text, xid xid8 default pg_current_xact_id(), at timestamptz default clock_timestamp());
-- Notes each time that a rule has been done, and in which transaction.
create function t.note() returns trigger language plpgsql as $$
begin
    insert into t.deeds (rule) values (new.rule);
    return new;
end
$$;
grant all on t.deeds to public;
create trigger a_test_notes after update on ccp.tick_rules for each row execute function t.note();
update ccp.hosts set desired = 'running';
commit;
select plan(7);

call clock.tick_all('cron');
select is((select count(*) from t.deeds), (select count(distinct xid) from t.deeds), 'each rule is a transaction of its own, each time');
select is(
    (select array_agg(rule order by at) from (select rule, min(at) as at from t.deeds group by rule) as d), array(select clock.rules()),
    'in their order'
);
select is(
    (select count(*)::integer from t.deeds where rule = 'clock.reconcile_all'), 3, 'two hosts without time are three batches: the last finds none'
);
select is(
    (select count(*)::integer from t.deeds where rule = 'clock.enforce_deadlines'), 3, 'deadlines have their turn with each'
);
select is((select count(*)::integer from t.deeds where rule = 'account.enforce'), 3, 'and so has expiry');
select ok(
    (select max(d.at) from t.deeds as d where d.rule = 'account.enforce') < (select max(d.at) from t.deeds as d where d.rule = 'clock.reconcile_all'),
    'which come first each time'
);
select is((select count(*)::integer from ccp.task_rows where kind = 'host.start'), 2, 'in one tick all is done');
select * from finish();
