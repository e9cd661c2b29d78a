-- A browser's login: renewed by a cookie that each use replaces, in several tabs; a copy of an old one ends it.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(51);

create function t.hash(p_letter text) returns text language sql as $$ select '$2b$10$' || repeat(p_letter, 53) $$;
update ccp.users set password_hash = t.hash('a');
select t.at('2099-01-01 12:00:00');
-- A cookie by its letter.
create function t.sha(p_letter text) returns ccp.sha256 language sql as $$ select repeat(encode(p_letter::bytea, 'hex'), 32) $$;
create temporary table answer as
select * from api.login('bobby', '198.51.100.7', true, t.hash('a'), t.sha('a'));
create function t.refresh(p_old text, p_new text) returns text language sql as $$
    select concat_ws(' ', r.verdict, r.generation, r.cookie_life_s, (r.answer).expires_in)
    from answer as a, api.refresh(null, null, a.cookie_id, t.sha(p_old), t.sha(p_new)) as r
$$;
create function t.cookies(p_login_id uuid) returns text language sql as $$
    select string_agg(convert_from(decode(left(c.sha256, 2), 'hex'), 'UTF8') || case when c.replaced_at is null then '' else '-' end, ' ' order by c.sha256)
    from ccp.refresh_cookies as c
    where c.login_id = p_login_id
$$;
create function t.cookies() returns text language sql as $$
    select t.cookies(a.login_id) from answer as a
$$;
create function t.ended() returns text language sql as $$
    select l.revoke_reason from ccp.logins as l join answer as a on a.login_id = l.id
$$;

select is((select verdict::text from answer), 'ok', 'a login with a cookie begins');
select is((select cookie_life_s from answer), 604800, 'the cookie counts for a week');
select is((select (answer).expires_in from answer), 600, 'its token for ten minutes');
select isnt((select cookie_id from answer), (select login_id from answer), 'the cookie''s id is not the one that tokens have');
select is(
    (select concat_ws(' ', r.verdict, r.cookie_id, r.cookie_life_s, (r.answer).expires_in) from api.login('bobby', '198.51.100.7', true, t.hash('a')) as r),
    'ok 3600', 'one without gets none, and a token for an hour'
);
select is(t.cookies(), 'a', 'there is one cookie');
create temporary table other as
select * from api.login('bobby', '198.51.100.7', true, t.hash('a'), t.sha('x'));
select is(
    (select r.verdict::text from other as o, api.refresh(null, null, o.cookie_id, t.sha('x'), t.sha('y')) as r), 'ok', 'another browser has its own'
);

-- Used.
select t.at('2099-01-01 12:10:00');
select is(t.refresh('a', 'b'), 'ok 1 604200 600', 'the cookie renews the login, which lives as long as before');
select is(t.cookies(), 'a- b', 'and another takes its place');
select lives_ok($$select account.enter(login_id, 1, 'user') from answer$$, 'the tokens of other tabs go on');
select is((select refreshed_at from ccp.logins join answer on login_id = id), timestamptz '2099-01-01 12:10:00', 'one sees when it was');

-- Two tabs at once, in every order in which the browser may keep what comes.
select t.at('2099-01-01 12:10:10');
select is(t.refresh('a', 'c'), 'ok 1 604190 600', 'ten seconds later the old one counts still: another tab');
select is(t.cookies(), 'a- b c', 'each tab has a cookie that counts');
select is(t.refresh('c', 'd'), 'ok 1 604190 600', 'whichever the browser kept is good');
select is(t.cookies(), 'a- b- c- d', 'and replaces all');
select t.at('2099-01-01 12:10:20');
select is(t.refresh('b', 'e'), 'ok 1 604180 600', 'for ten seconds the others count as well');
select is(t.ended(), null, 'nothing has ended');
select is(t.cookies(), 'b- c- d e', 'what is older has gone');
select is((select t.cookies(login_id) from other), 'x- y', 'of another login nothing has');

-- Used again.
savepoint whole;
select t.at('2099-01-01 12:10:20.001');
select is(t.refresh('c', 'f'), 'unauthenticated', 'a moment later a replaced cookie is refused');
select is(t.ended(), 'reuse', 'and its login ends');
select is(
    t.last_event(), 'warning | auth.failed | a cookie of bobby that had been replaced was used again; that login is revoked | bobby', 'the audit log has it'
);
select is(t.refresh('e', 'f'), 'unauthenticated', 'for who has the newest cookie too');
select throws_ok($$select account.enter(login_id, 1, 'user') from answer$$, 'CP401', null, 'and for tokens');
select is((select count(*)::integer from ccp.logins where revoked_at is not null), 1, 'no other login ends');
rollback to whole;
select is(t.refresh('a', 'f'), 'unauthenticated', 'one that has gone is refused');
select is(t.ended(), 'reuse', 'and ends it likewise, however old it is');
rollback to whole;
select is(t.refresh('f', 'g'), 'unauthenticated', 'so does one that never was: who knows the id had a cookie');
select is(t.ended(), 'reuse', 'and it ends');
rollback to whole;
select is(t.refresh('y', 'g'), 'unauthenticated', 'and one of another login');
select is(t.ended(), 'reuse', 'however well it counts there');
rollback to whole;

-- Tokens do not renew it.
select is(
    (select concat_ws(' ', r.verdict, r.sentence) from answer as a, api.refresh(a.login_id, 1) as r),
    'cookie_required This login is a browser''s: its cookie renews it, a token does not.', 'a stolen token renews nothing'
);
select is(t.ended(), null, 'nor does it end anything');
select is((select r.verdict::text from api.refresh(null, null, gen_random_uuid(), t.sha('e'), t.sha('f')) as r), 'unauthenticated', 'another id has no cookies');
select is((select r.verdict::text from api.refresh(null, null) as r), 'unauthenticated', 'nobody is nobody');
select is((select r.verdict::text from api.refresh(t.login('boss'), 1) as r), 'ok', 'a login by token is renewed by token');
select is((select r.generation from api.refresh(t.login('boss'), 2) as r), 3, 'as often as wanted');

-- Who may not come in.
update ccp.users set disabled_at = clock.now() where username = 'bobby';
select is(t.refresh('e', 'f'), 'account_disabled', 'a disabled user renews nothing');
select is(t.cookies(), 'b- c- d e', 'and keeps the cookie');
update ccp.users set disabled_at = null, expires_at = clock.now() where username = 'bobby';
select is(t.refresh('e', 'f'), 'account_expired', 'nor does an expired one');
update ccp.users set expires_at = null where username = 'bobby';
select is(
    (select concat_ws(' ', r.verdict, r.cookie_id = a.cookie_id) from answer as a, api.refresh(null, null, a.cookie_id, t.sha('e'), t.sha('f')) as r),
    'ok t', 'afterwards it counts, and its id stays'
);
select t.at('2099-01-08 11:59:59');
select is(t.refresh('f', 'g'), 'ok 1 1 600', 'to the last second');
select t.at('2099-01-08 12:00:00');
select is(t.refresh('g', 'h'), 'unauthenticated', 'and no longer');

-- Logout.
select throws_ok($$select api.logout(null, null, cookie_id, t.sha('g')) from answer$$, 'CP401', null, 'a login that is over is not ended');
rollback to whole;
select throws_ok($$select api.logout(null, null, gen_random_uuid(), t.sha('e'))$$, 'CP401', null, 'nor is an unknown one');
update ccp.users set disabled_at = clock.now() where username = 'bobby';
select lives_ok($$select api.logout(null, null, cookie_id, t.sha('e')) from answer$$, 'a cookie ends its login, whatever its user may do');
select is(t.ended(), 'logout', 'with that reason');
select is((select count(*)::integer from ccp.logins where revoked_at is not null), 1, 'and no other');
select throws_ok($$select api.logout(null, null, cookie_id, t.sha('e')) from answer$$, 'CP401', null, 'once');
delete from ccp.logins using answer where id = login_id;
select is(t.cookies(), null, 'cookies go with their login');
select ok(
    not has_column_privilege('ccp_dba', 'ccp.logins', 'cookie_id', 'select')
    and not has_table_privilege('ccp_api', 'ccp.refresh_cookies', 'select'),
    'nobody reads what ends another''s login'
);

select * from finish();
rollback;
