-- Idempotency keys: once new, then the same ids, never for another request.
begin;
\ir ../hosts.psql
select plan(7);

create function t.alice() returns uuid language sql as $$ select id from ccp.users where username = 'alice' $$;

select is(account.replay(t.alice(), 'user', null, null), null, 'without a key everything is new');
select is(account.replay(t.alice(), 'user', 'k', repeat('a', 64)), null, 'a fresh key is new');
select account.remember(t.alice(), 'k', 201, '{"id": "1"}');
select is(account.replay(t.alice(), 'user', 'k', repeat('a', 64)), '{"id": "1"}', 'the same request gets the same ids');
select throws_ok($$select account.replay(t.alice(), 'user', 'k', repeat('b', 64))$$, 'CP409', null, 'another body is refused');
select throws_ok($$select account.replay(t.alice(), 'host', 'k', repeat('a', 64))$$, 'CP409', null, 'another route is refused');
select is(
    account.replay(account.create_admin('boss', '$2b$10$' || repeat('a', 53)), 'user', 'k', repeat('a', 64)), null,
    'keys of others are others'
);
select is((select status from ccp.idempotency_keys where user_id = t.alice()), 201, 'the status is kept');

select * from finish();
rollback;
