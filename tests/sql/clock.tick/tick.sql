-- What a tick does besides processes and expiry, which have files of their own.
begin;
\ir ../hosts.psql
select plan(13);

select throws_ok($$select clock.tick('nobody')$$, 'CP422', null, 'only the known tick');
select is(clock.tick('worker'), 'done', 'the worker ticks');
select is((select count(*)::integer from ccp.task_rows where kind = 'events.retain'), 1, 'the retention is asked for');
select is(clock.tick('cron'), 'done', 'so does cron');
select is((select count(*)::integer from ccp.task_rows where kind = 'events.retain'), 1, 'but once a day');
select is((select process.health() ->> 'cron'), 'ok', 'health knows that cron was there');
select is((event.retain() ->> 'more')::boolean, false, 'there is nothing to retain');

select t.ask('host.delete');
select t.work();
select is(t.status(), 'deleted', 'a deleted host is a tombstone');
set local test.now = '2099-01-01';
select is((event.retain() ->> 'hosts')::integer, 1, 'which goes after its retention');
select is((select count(*)::integer from ccp.task_rows where host_id is not null), 0, 'with its tasks');
select is(
    (select count(*)::integer from pg_inherits where inhparent = 'ccp.events'::regclass
        and inhrelid::regclass::text < 'ccp.events_2098'), 0, 'old months are gone'
);
select is(clock.tick('worker'), 'done', 'and the tick makes the months that are missing');
select isnt(to_regclass('ccp.events_2099_04'), null, 'three ahead');

select * from finish();
rollback;
