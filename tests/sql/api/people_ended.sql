-- Passwords that are changed, and what of a user an administrator ends.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(46);

select t.at('2099-01-01');
create function t.hash(p_letter text) returns text language sql as $$ select '$2b$10$' || repeat(p_letter, 53) $$;
update ccp.users set password_hash = t.hash('a');
create temporary table first_login as select t.login('alice') as id;
insert into ccp.logins (user_id, expires_at) values (t.user('alice'), '2150-01-01'), (t.user('alice'), '2150-01-01');
insert into ccp.logins (user_id, expires_at) values (t.user('alice'), '2098-01-01');
insert into ccp.access_grants (purpose, user_id, host_id, poll_token_sha256, expires_at, used_at)
values
    ('bootstrap', t.user('alice'), t.host(), repeat('1', 64), '2099-01-02', null),
    ('bootstrap', t.user('alice'), t.host(), repeat('2', 64), '2099-01-02', '2099-01-01'),
    ('bootstrap', t.user('bobby'), t.host(), repeat('3', 64), '2099-01-02', null);
create function t.alice() returns uuid language sql security definer as $$ select id from first_login $$;
create function t.live(p_name text) returns text language sql as $$
    select count(*) filter (where revoked_at is null and expires_at > clock.now()) || coalesce(' ' || max(revoke_reason), '')
    from ccp.logins where user_id = t.user(p_name)
$$;

-- One's own password.
create function t.change(
    p_matched boolean, p_letter text default 'a', p_address inet default '198.51.100.7', p_key text default null
) returns text language sql as $$
    select concat_ws(' | ', c.verdict, nullif(c.retry_after_s, 0), c.sentence, (c.answer).password_changed_at at time zone 'UTC', (c.answer).logins)
    from api.own_password_change(
        t.alice(), 1, p_address, p_matched, t.hash(p_letter), case when p_matched then t.hash('b') else '' end, p_key, repeat('a', 64)
    ) as c
$$;
select is(
    (select concat_ws(' ', verdict, retry_after_s, password_hash) from account.own_challenge(t.alice(), 1, '198.51.100.7')),
    'ok 0 ' || t.hash('a'), 'the old one is checked against the stored hash'
);
select throws_ok($$select account.own_challenge(t.alice(), 2, '198.51.100.7')$$, 'CP401', null, 'of a login that lives');
select is(t.change(false), 'auth_invalid | The old password is wrong; this login goes on.', 'a wrong old one changes nothing');
select is((select password_hash::text from ccp.users where username = 'alice'), t.hash('a'), 'nothing at all');
select is(
    (select concat_ws(' ', level, type, message, actor_role) from ccp.events order by id desc limit 1),
    'warning auth.failed a change of the password of alice with a wrong old one was refused database', 'it is written down'
);
select lives_ok($$select account.enter(t.alice(), 1, 'user')$$, 'and the login goes on');
select is(t.change(true, 'z'), 'auth_invalid | The old password is wrong; this login goes on.', 'nor does one that was changed in between');
select is(t.change(false, 'a', '198.51.100.7', 'k0'), 'auth_invalid | The old password is wrong; this login goes on.', 'a third');
select is((select count(*)::integer from ccp.idempotency_keys), 0, 'what is refused is not remembered');
select matches(t.change(true), '^too_many_attempts \| \d+ \| Too many attempts; try again in \d+ seconds\.$', 'then one waits, as with logins');
select is((select verdict from account.own_challenge(t.alice(), 1, '198.51.100.7')), 'too_many_attempts', 'before anything is hashed');
select is((select verdict from account.challenge('alice', '198.51.100.7')), 'too_many_attempts', 'and a login waits with it');
select is(t.live('alice'), '3', 'all logins go on');
select is(t.change(true, 'a', '198.51.100.8', 'k1'), 'ok | 2099-01-01 00:00:00 | 2', 'the right one changes it');
select is((select password_hash::text from ccp.users where username = 'alice'), t.hash('b'), 'to the new one');
select is(t.live('alice'), '1 password', 'and ends the other logins');
select lives_ok($$select account.enter(t.alice(), 1, 'user')$$, 'but not this');
select is((select string_agg(left(poll_token_sha256, 1), ',' order by 1) from ccp.access_grants), '2,3', 'and what they granted');
select is(t.last_event(), 'info | user.password_changed | alice has changed the password | alice | {"logins": 2}', 'the audit log has it');
select is(t.change(false, 'a', '198.51.100.8', 'k1'), 'ok | 2099-01-01 00:00:00 | 2', 'the same request again is answered the same');
select is((select status || ' ' || ids from ccp.idempotency_keys), '200 {"logins": 2}', 'by what the key keeps');
select is((select count(*)::integer from ccp.events where type = 'user.password_changed'), 1, 'and written down once');
select is((select password_hash::text from ccp.users where username = 'bobby'), t.hash('a'), 'nobody else''s is changed');

-- Another's password.
select t.at('2099-01-03');
create function t.rotate(p_key text default null) returns text language sql as $$
    select concat_ws(' | ', p.id = t.user('alice'), p.username, p.short_id, coalesce(p.password, 'none'), p.logins)
    from api.user_rotate_password(t.login('boss'), 1, t.user('alice'), t.hash('c'), p_key, repeat('a', 64)) as p
$$;
select is(t.rotate('k2'), 't | alice | alice1 |  | 1', 'an admin gives one another, with a place for it');
select results_eq(
    $$select username::text, password_changed_at from ccp.users where password_hash = t.hash('c')$$,
    $$values ('alice', timestamptz '2099-01-03')$$, 'to that user and no other'
);
select is(t.live('alice'), '0 password', 'all logins end');
select is(t.last_event(), 'info | admin.user.password_rotated | user alice has got another password | alice | {"logins": 1}', 'the audit log has it');
select is(t.rotate('k2'), 't | alice | alice1 | none | 1', 'the same request again shows no password');
select is((select status from ccp.idempotency_keys where key = 'k2'), 200, 'the key keeps the answer''s status');
select is((select count(*)::integer from ccp.events where type = 'admin.user.password_rotated'), 1, 'and it is written down once');
select throws_ok(
    $$select api.user_rotate_password(t.login('boss'), 1, gen_random_uuid(), t.hash('c'))$$, 'CP404', 'There is no such user.', 'an unknown user has none'
);
select throws_ok($$select api.user_rotate_password(t.login('bobby'), 1, t.user('alice'), t.hash('c'))$$, 'CP403', null, 'that route is for admins');
select throws_ok($$select account.rotate_password(account.id('Nobody'), t.hash('c'))$$, 'CP404', 'There is no such user.', 'in psql users go by name');
select is(account.id('ALICE'), t.user('alice'), 'in any case');

-- All that a user has open.
select process.register('ccp-sshproxy', 'node1', 3, 'test');
insert into ccp.sessions (user_id, host_id, process_id, method, address, opened_at, end_requested_at, ended_at, end_reason)
select h.user_id, h.id, p.id, 'key', '198.51.100.7', clock.now(), s.asked, s.ended, s.reason
from ccp.hosts as h, ccp.processes as p,
    (values
        (null::timestamptz, null::timestamptz, null), (null, null, null), (clock.now(), null, 'expired'), (null, clock.now(), 'closed')
    ) as s (asked, ended, reason)
where p.program = 'ccp-sshproxy';
insert into ccp.logins (user_id, expires_at) values (t.user('alice'), '2150-01-01');
select is(
    (select e::text from api.user_end_sessions(t.login('boss'), 1, t.user('alice')) as e), '(2,1)', 'all of it ends, and is counted'
);
select is(t.live('alice'), '0 password', 'the login');
select is(
    (select string_agg(concat_ws(' ', end_reason, end_requested_by is not null, ended_at is not null), ', ' order by end_reason) from ccp.sessions),
    'admin t f, admin t f, closed f t, expired f f', 'and the sessions that were not ending already'
);
select is(
    t.last_event(),
    'info | admin.user.sessions_ended | 2 sessions and 1 logins of user alice were ended | alice | {"logins": 1, "sessions": 2}',
    'the audit log has it'
);
select is((select e::text from api.user_end_sessions(t.login('boss'), 1, t.user('alice')) as e), '(0,0)', 'then there is nothing left');
select is(t.live('bobby') || t.live('boss'), '11', 'others go on');
select throws_ok($$select api.user_end_sessions(t.login('bobby'), 1, t.user('alice'))$$, 'CP403', null, 'that route is for admins');
select throws_ok($$select api.user_end_sessions(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such user.', 'an unknown user has nothing');
select lives_ok($$select api.user_end_sessions(t.login('boss'), 1, t.user('boss'))$$, 'an admin may do it to oneself');
select throws_ok($$select api.user_get(t.login('boss'), 1, t.user('alice'))$$, 'CP401', null, 'and has to log in again');
select is((select session.end_for_user(t.user('bobby'), 'expired', null)), 0, 'who is nowhere is asked nothing');
select is((select count(*)::integer from ccp.sessions where end_requested_by is null and end_requested_at is not null), 1, 'the rules have no name');

select * from finish();
rollback;
