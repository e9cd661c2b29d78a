-- Turns a database into a template for tests: batches that end when they are done, however slow the machine, and a clock that
-- a test can set, for its session with
--   set test.now = '2027-01-01 12:00:00+00'
-- or for everybody with
--   update ccp.test_clock set shift = interval '20 seconds'
-- Unset, it is the real time.
create table if not exists ccp.test_clock (shift interval not null);
comment on table ccp.test_clock is 'How far this test database''s clock is ahead of the real one.';
comment on column ccp.test_clock.shift is 'The distance.';
insert into ccp.test_clock (shift)
select interval '0'
where not exists (select from ccp.test_clock);

create or replace function clock.now()
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        nullif(current_setting('test.now', true), '')::timestamptz,
        pg_catalog.now() + (select c.shift from ccp.test_clock as c)
    )
$$;
grant execute on function clock.now() to public;

create or replace function clock.batch_end()
returns timestamptz
language sql
volatile
return timestamptz 'infinity';
