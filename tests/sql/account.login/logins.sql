-- Password logins: refusals are returned and leave their trace, limits come first, what is wrong is not told.
begin;
\ir ../hosts.psql
select plan(19);

create function t.hash() returns text language sql as $$ select '$2b$10$' || repeat('a', 53) $$;
create function t.login(p_name text, p_matched boolean, p_hash text default t.hash()) returns text language sql as $$
    select verdict from api.login(p_name, '198.51.100.7', p_matched, p_hash)
$$;
update ccp.users set password_hash = t.hash();

select is((select password_hash from account.challenge('ALICE', '198.51.100.7')), t.hash(), 'a name is looked up in lower case');
select is((select password_hash from account.challenge('nobody', '198.51.100.7')), null, 'an unknown name has no hash');
select is((select verdict from account.challenge('nobody', '198.51.100.7')), 'ok', 'and is does not say so');
select is(t.login('alice', true), 'ok', 'the right password comes in');
select is((select count(*)::integer from ccp.logins), 1, 'a token family begins');
select is((select count(*)::integer from ccp.events where type = 'auth.success' and user_id = (select id from ccp.users)), 1, 'the audit log has it');
select is(t.login('alice', true, '$2b$10$' || repeat('b', 53)), 'auth_invalid', 'a password that was changed in between does not');
select is(t.login('nobody', false), 'auth_invalid', 'an unknown name gets the same answer');
select is(
    (select count(*)::integer from ccp.events where type = 'auth.failed' and message not like '%nobody%'), 2,
    'unknown names are not written down'
);
select is((select count(*)::integer from ccp.logins), 1, 'nobody came in');
select t.login('alice', false), t.login('alice', false);
select is(t.login('alice', false), 'too_many_attempts', 'three mistakes make one wait');
select is(t.login('alice', true), 'too_many_attempts', 'even with the right password');
select is((select verdict from account.challenge('alice', '198.51.100.7')), 'too_many_attempts', 'before any hash is given away');
select is((select verdict from account.challenge('alice', '198.51.100.8')), 'ok', 'elsewhere alice is free');
delete from ccp.penalties;
update ccp.users set disabled_at = clock.now();
select is(t.login('alice', true), 'account_disabled', 'a disabled user is told after the right password');
select is(t.login('alice', false), 'auth_invalid', 'and not before');
update ccp.users set disabled_at = null, expires_at = clock.now() - interval '1 second';
select is(t.login('alice', true), 'account_expired', 'so is an expired one');
select throws_ok(
    $$select account.create_admin('Alice', t.hash())$$, 'CP409', null, 'an administrator does not take over a name'
);
select account.create_admin('Boss', t.hash());
select is((select role from ccp.users where username = 'boss'), 'admin', 'the first administrator is made');

select * from finish();
rollback;
