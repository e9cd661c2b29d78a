-- Who ticks as whom: whether pg_cron still comes is read from its ticks.
begin;
\ir ../hosts.psql
select plan(6);
create function t.seen() returns text language sql security definer as $$
    select string_agg(who, ' ' order by who) from ccp.ticks where seen_at is not null
$$;
set session authorization ccp_worker;
select throws_ok($$select clock.tick('cron')$$, 'CP403', 'ccp_worker may not tick as cron', 'the worker does not say that pg_cron came');
select is(clock.tick('worker'), 'done', 'it ticks in its own name');
set session authorization ccp_cron;
select throws_ok($$select clock.tick('worker')$$, 'CP403', 'ccp_cron may not tick as worker', 'nor does pg_cron for the worker');
select is(t.seen(), 'worker', 'which has left no trace');
select is(clock.tick('cron'), 'done', 'it ticks in its own');
select is(t.seen(), 'cron worker', 'each was seen');
reset session authorization;
select * from finish();
rollback;
