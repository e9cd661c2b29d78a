-- Whose streams end, and why; and what the reader does before it hands a place out.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(11);

create function t.ended(p_name text, p_role text default 'user') returns text language sql as $$
    select string_agg(e.error_code || ' | ' || e.sentence, ', ') from live.ended(array[t.login(p_name)], array[p_role]) as e
$$;
select is(t.ended('alice'), null, 'a login goes on');
select is(t.ended('boss', 'admin'), null, 'an administrator''s');
select is(t.ended('alice', 'admin'), 'forbidden | The caller''s role may not do this.', 'who is not one listens as a user only');
update ccp.logins set generation = 7;
select is(t.ended('alice'), null, 'a login that is renewed goes on');
update ccp.users set expires_at = clock.now() where username = 'alice';
select is(t.ended('alice'), 'account_expired | The caller''s account has expired.', 'until its account expires');
update ccp.users set disabled_at = clock.now() where username = 'alice';
select is(t.ended('alice'), 'account_disabled | The caller''s account is disabled.', 'or is disabled');
update ccp.logins set expires_at = clock.now() where user_id = t.user('bobby');
select is(t.ended('bobby'), 'token_invalid | The login behind this token has ended.', 'or the login expires');
update ccp.logins set revoked_at = clock.now(), revoke_reason = 'logout' where user_id = t.user('boss');
select is(t.ended('boss', 'admin'), 'token_invalid | The login behind this token has ended.', 'or is revoked');
select is(
    (select e.error_code from live.ended(array[gen_random_uuid()], array['user']) as e), 'token_invalid', 'or is gone'
);
select lives_ok('select live.flush()', 'the log of changes is brought to the disk');
set session authorization ccp_api;
select lives_ok('select live.flush()', 'by the API');
reset session authorization;

select * from finish();
rollback;
