-- Idempotency keys: once new, then the same ids, never for another request.
begin;
\ir ../hosts.psql
select plan(8);

create function t.alice() returns uuid language sql as $$ select id from ccp.users where username = 'alice' $$;

select account.act_as(t.alice(), 'alice', 'admin', null);
select is(account.idempotency_begin('user', null, null), null, 'without a key everything is new');
select is(account.idempotency_begin('user', 'k', repeat('a', 64)), null, 'a fresh key is new');
select account.idempotency_save('k', 201, '{"id": "1"}');
select is(account.idempotency_begin('user', 'k', repeat('a', 64)), '{"id": "1"}', 'the same request gets the same ids');
select throws_ok($$select account.idempotency_begin('user', 'k', repeat('b', 64))$$, 'CP409', null, 'another body is refused');
select throws_ok($$select account.idempotency_begin('host', 'k', repeat('a', 64))$$, 'CP409', null, 'another route is refused');
select account.act_as(account.create_admin('boss', '$2b$10$' || repeat('a', 53)), 'boss', 'admin', null);
select is(account.idempotency_begin('user', 'k', repeat('a', 64)), null, 'keys of others are others');
select account.idempotency_save('k', 409, '{}');
select is((select status from ccp.idempotency_keys where user_id <> t.alice()), 409, 'what is noted is noted for who entered');
select is((select status from ccp.idempotency_keys where user_id = t.alice()), 201, 'the status is kept');

select * from finish();
rollback;
