-- A deleted user goes with the last event that may say the name.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(5);

update ccp.settings set value = '10' where name = 'tombstone_retention_days';
update ccp.settings set value = '40' where name = 'event_retention_days';
select t.at('2099-01-01');
delete from ccp.logins;
update ccp.users
set disabled_at = clock.now(), deleting_at = clock.now(), deleted_at = case username when 'boss' then null else clock.now() end
where username <> 'nobody';
create function t.left() returns text language sql as $$
    select string_agg(username, ',' order by username) from ccp.users
$$;
select t.at('2099-01-12');
select event.retain() is null as done \gset
select is(t.left(), 'alice,bobby,boss', 'not with the other rows');
select t.at('2099-02-10');
select event.retain() is null as done \gset
select is(t.left(), 'alice,bobby,boss', 'not before the events');
select t.at('2099-02-12');
select is((event.retain() ->> 'users')::integer, 1, 'then the user goes');
select is(t.left(), 'alice,boss', 'unless there is a host left, or the deletion has not ended');
select is((event.retain() ->> 'users')::integer, 0, 'again is safe');

select * from finish();
rollback;
