-- In whose name things are written down, and for whom idempotency keys count.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(17);

create function t.hash() returns text language sql as $$ select '$2b$10$' || repeat('a', 53) $$;
update ccp.users set password_hash = t.hash();
create function t.last_actor() returns text language sql security definer as $$
    select concat_ws(' ', actor, actor_role, host(actor_address)) from ccp.events order by id desc limit 1
$$;
create function t.login_as(p_name text, p_matched boolean) returns text language sql security definer as $$
    select verdict::text from api.login(p_name, '198.51.100.7', p_matched, t.hash())
$$;
set session authorization ccp_api;
select is(t.login_as('bobby', true), 'ok', 'who logs in');
select is(t.last_actor(), 'bobby user 198.51.100.7', 'is the actor of that');
select is(t.login_as('bobby', false), 'auth_invalid', 'who does not');
select is(t.last_actor(), 'bobby anonymous 198.51.100.7', 'is not believed to be that user');
select is(t.login_as('nobody', false), 'auth_invalid', 'an unknown name');
select is(t.last_actor(), 'unknown anonymous 198.51.100.7', 'is no name');
reset session authorization;
create function t.actor() returns text language sql security definer as $$ select concat_ws(' ', a.who, a.role, host(a.address)) from account.actor() as a $$;
set session authorization ccp_cron;
select is(t.actor(), 'ccp_cron program', 'cron is a program');
reset session authorization;
select account.create_admin('Chief', t.hash()) is not null as done \gset
select is(t.last_event(), 'info | admin.user.created | user chief was made | chief', 'the first administrator is written down');

-- Keys of two users, and two keys of one.
select account.act_as(t.user('alice'), 'alice', 'user', null);
select is(account.idempotency_begin('x', 'one', repeat('a', 64)), null, 'a key of alice');
select is(account.idempotency_begin('x', 'two', repeat('a', 64)), null, 'and another');
select account.idempotency_save('one', 201, '{"id": 1}');
select is((select string_agg(key || ' ' || status, ', ' order by key) from ccp.idempotency_keys), 'one 201, two 200', 'an answer is kept for its key');
select account.act_as(t.user('bobby'), 'bobby', 'user', null);
select is(account.idempotency_begin('x', 'one', repeat('a', 64)), null, 'the same key of bobby is another');
select account.idempotency_save('one', 202, '{"id": 2}');
select is(account.idempotency_begin('x', 'one', repeat('a', 64)), '{"id": 2}', 'with an answer of its own');
select account.act_as(t.user('alice'), 'alice', 'user', null);
select is(account.idempotency_begin('x', 'one', repeat('a', 64)), '{"id": 1}', 'which is not alice''s');

-- An edit is stamped.
select t.at('2099-01-01');
update ccp.users set role = 'admin' where username = 'bobby';
select is((select concat_ws(' ', version, updated_at at time zone 'UTC') from ccp.users where username = 'bobby'), '3 2099-01-01 00:00:00', 'an edit raises the version and is stamped');

-- Penalties.
insert into ccp.penalties (source, expires_at, refused, reason, updated_at)
values ('198.51.100.9/32', clock.now() - interval '1 second', true, 'grace', clock.now()), ('198.51.100.10/32', clock.now() + interval '1 second', true, 'grace', clock.now() - interval '1 minute');
select is(access.penalty_check('198.51.100.9', 'x'), 0, 'a penalty that has passed is none');
select access.penalty_add('198.51.100.9', 'x', 'no_auth');
select access.penalty_add('198.51.100.10', 'x', 'no_auth');
select is(
    (select string_agg(concat_ws(' ', source, refused, reason, expires_at - clock.now(), updated_at = clock.now()), ', ' order by source)
    from ccp.penalties where source like '198.51.100%/32' and source not like '%@%' and source not like '%.7/%'),
    '198.51.100.10/32 t no_auth 00:00:02 t, 198.51.100.9/32 f no_auth 00:00:01 t', 'a new offence adds to what runs, and begins anew after it'
);

select * from finish();
rollback;
