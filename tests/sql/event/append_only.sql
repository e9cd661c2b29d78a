-- Events and verifications are written once, even for the owner, in every month; months leave as a whole.
begin;
\ir ../hosts.psql
select plan(11);

select event.write('auth.success', 'alice came in') is not null as written \gset
insert into ccp.verifications (host_id, user_id, process_id, kind, outcome, checks, duration_ms)
select id, user_id, t.agent(), 'full', 'passed', '[]', 1 from ccp.hosts;

-- Every table that holds them, and what a statement on it is answered.
create temporary table attempts (name regclass, statement text, answer text);
grant select, insert, update on attempts to ccp_owner;
insert into attempts (name, statement)
select c.oid, format(s.statement, c.oid::regclass)
from pg_class as c
cross join (
    values ('update %s set at = at'), ('delete from %s'), ('truncate %s'), ('delete from %s where false'),
        ('update %s set at = at where false')
) as s (statement)
where c.relnamespace = 'ccp'::regnamespace
    and c.relname ~ '^(events|verifications)(_\d{4}_\d{2})?$';
set local role ccp_owner;
do $$
declare
    v_attempt record;
begin
    for v_attempt in select statement from attempts
    loop
        begin
            execute v_attempt.statement;
        exception
            when others then
                update attempts set answer = sqlstate where statement = v_attempt.statement;
        end;
    end loop;
end
$$;
select cmp_ok((select count(distinct name) from attempts), '>=', 12::bigint, 'both tables and their months were tried');
select is_empty(
    $$select name, statement, answer from attempts where answer is distinct from 'CP403'$$,
    'each refuses update, delete and truncate with CP403, even of no rows'
);
select throws_ok(
    $$update ccp.events set message = 'x'$$, 'CP403', 'events refuses update: what happened is never changed', 'in a sentence'
);
select lives_ok(
    $$insert into ccp.events (level, type, message, actor, actor_role) values ('info', 'a.b', 'x', 'me', 'database')$$,
    'writing is what they are for'
);
select throws_ok(
    $$insert into ccp.events (at, level, type, message, actor, actor_role) values ('2150-01-01', 'info', 'a.b', 'x', 'me', 'database')$$,
    '23514', null, 'but not outside of the months that are there'
);
select is(event.make_months(5), 4, 'months are made ahead, for events and verifications');
select is(event.make_months(5), 0, 'once');
select throws_ok(
    format('truncate ccp.events_%s', to_char(clock.now() at time zone 'UTC' + interval '5 months', 'YYYY_MM')), 'CP403', null,
    'a month made later refuses too'
);
select throws_ok($$select event.drop_month('events', now()::date)$$, 'CP409', null, 'this month stays');
select throws_ok($$select event.drop_month('users', '2020-01-01')$$, 'CP422', null, 'other tables have no months');
select is(
    event.drop_month('events', (date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date), true,
    'a past month leaves as a whole'
);

select * from finish();
rollback;
