-- Users as an administrator makes and changes them; logins, keys and passwords as users do.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(82);

select t.at('2099-01-01');
create function t.hash(p_letter text) returns text language sql as $$ select '$2b$10$' || repeat(p_letter, 53) $$;

-- Making one.
create function t.make(p_name text, p_key text default null, p_sha256 text default repeat('a', 64)) returns api.new_user language sql as $$
    select api.user_create(t.login('boss'), 1, p_name, t.hash('a'), 'user', '2099-02-01', p_key, p_sha256)
$$;
select results_eq(
    $$select m.username, m.role::text, m.status::text, m.expires_at, m.version, m.password from t.make('carol', 'k1') as m$$,
    $$values ('carol', 'user', 'active', timestamptz '2099-02-01', '1', '')$$, 'a user is made, with a place for the password'
);
select is(t.last_event(), 'info | admin.user.created | user carol was made | carol', 'the audit log has it');
select is(
    (select concat_ws(' ', password_hash, password_changed_at at time zone 'UTC') from ccp.users where username = 'carol'),
    t.hash('a') || ' 2099-01-01 00:00:00', 'the password comes hashed'
);
select results_eq(
    $$select m.id, m.password from t.make('carol', 'k1') as m$$, $$values (t.user('carol'), null::text)$$,
    'the same request again shows the user and no password'
);
select throws_ok($$select t.make('dave', 'k1', repeat('b', 64))$$, 'CP409', null, 'another request with that key is refused');
select is((select status from ccp.idempotency_keys), 201, 'the key keeps the answer''s status');
select throws_ok($$select t.make('carol')$$, 'CP409', 'There is already a user carol.', 'a name is taken once');
select throws_ok(
    $$select api.user_create(t.login('bobby'), 1, 'dave', t.hash('a'))$$, 'CP403', null, 'only admins make users'
);
select is((api.user_get(t.login('boss'), 1, t.user('carol'))).username, 'carol', 'an admin reads a user');
select throws_ok($$select api.user_get(t.login('bobby'), 1, t.user('carol'))$$, 'CP403', null, 'and no one else does');
select throws_ok(
    $$select api.user_get(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such user.', 'an unknown one is not found'
);
select is((api.own_user_get(t.login('bobby'), 1)).username, 'bobby', 'users read themselves');
select throws_ok($$select api.own_user_get(t.login('bobby'), 2)$$, 'CP401', null, 'with a token of today');

-- Changing one.
create function t.change(
    p_name text, p_status text default null, p_role text default null, p_expires_at timestamptz default '-infinity', p_if_match text default null
) returns text language sql as $$
    select concat_ws(' ', u.status, u.role, u.expires_at at time zone 'UTC', u.version)
    from api.user_update(t.login('boss'), 1, t.user(p_name), p_status, p_role, p_expires_at, p_if_match => p_if_match) as u
$$;
select is(t.change('carol'), 'active user 2099-02-01 00:00:00 1', 'nothing asked, nothing changed');
select is(t.change('carol', 'active', 'user', '2099-02-01'), 'active user 2099-02-01 00:00:00 1', 'as it is already');
select is(t.last_event(), 'info | admin.user.created | user carol was made | carol', 'is not written down');
select is(t.change('carol', 'disabled'), 'disabled user 2099-02-01 00:00:00 2', 'disabled');
select is(t.last_event(), 'info | admin.user.updated | user carol was changed | carol | {"status": "disabled"}', 'is');
select t.at('2099-01-02');
select is(t.change('carol', 'disabled', 'admin'), 'disabled admin 2099-02-01 00:00:00 3', 'disabled again, and an admin');
select is((select disabled_at from ccp.users where username = 'carol'), timestamptz '2099-01-01', 'the first time counts');
select is(
    t.last_event(), 'info | admin.user.updated | user carol was changed | carol | {"role": "admin", "status": "disabled"}', 'each change is named'
);
select is(t.change('carol', 'active'), 'active admin 2099-02-01 00:00:00 4', 'enabled');
select is(t.change('carol', p_role => 'user'), 'active user 2099-02-01 00:00:00 5', 'a user again');
select is(t.change('carol', p_expires_at => '2099-03-01', p_if_match => '5'), 'active user 2099-03-01 00:00:00 6', 'extended, with the version');
select matches(t.last_event(), '"expires_at": "2099-03-01', 'the audit log says until when');
select throws_ok(
    $$select t.change('carol', 'disabled', p_if_match => '5')$$, 'CP412', 'this was changed in between', 'an old version is refused'
);
select is(t.change('carol', 'active', p_if_match => '5,6'), 'active user 2099-03-01 00:00:00 6', 'one of several is enough');
select is(t.change('carol', p_expires_at => null), 'active user 7', 'null is never');
select is(
    t.last_event(), 'info | admin.user.updated | user carol was changed | carol | {"expires_at": null}', 'the audit log says that too'
);
select is(t.change('carol', p_expires_at => null), 'active user 7', 'once');
select is((select count(*)::integer from ccp.users where version > 1), 1, 'other users are as they were');
select is(
    (api.user_set_expiry(t.login('boss'), 1, t.user('carol'), '2099-04-01', '7')).expires_at, timestamptz '2099-04-01', 'the expiry has a route'
);
select throws_ok(
    $$select api.user_set_expiry(t.login('boss'), 1, t.user('carol'), '2099-05-01', '7')$$, 'CP412', null, 'which takes a version'
);
select throws_ok($$select t.change('nobody')$$, 'CP404', null, 'an unknown user is not found');
select throws_ok(
    $$select api.user_update(t.login('bobby'), 1, t.user('bobby'), p_role => 'admin')$$, 'CP403', null, 'users change no users'
);

-- An admin cannot lock oneself out.
select throws_ok(
    $$select t.change('boss', 'disabled')$$, 'CP409', 'You cannot disable, demote or expire yourself.', 'an admin is not disabled by oneself'
);
select throws_ok($$select t.change('boss', p_role => 'user')$$, 'CP409', null, 'nor demoted');
select throws_ok($$select t.change('boss', p_expires_at => '2099-01-02')$$, 'CP409', null, 'nor expired');
select throws_ok(
    $$select t.change('boss', p_expires_at => '2099-01-03')$$, 'CP409', 'User boss is the last active administrator.', 'nor later, when alone'
);
insert into ccp.users (username, short_id, role) values ('second', 'secnd1', 'admin');
select is(t.change('boss', 'active', 'admin', '2099-01-03'), 'active admin 2099-01-03 00:00:00 2', 'beside another one may expire later');
select is(t.change('boss', p_expires_at => null), 'active admin 3', 'or never');
delete from ccp.users where username = 'second';

-- Logins.
update ccp.users set password_hash = t.hash('a') where username = 'bobby';
create temporary table answer as
select * from api.login('bobby', '198.51.100.7', true, t.hash('a'));
select is(
    (select concat_ws(' ', verdict, retry_after_s, sentence, generation) from answer), 'ok 0 1', 'a login begins a family'
);
select results_eq(
    $$select (answer).token, (answer).role::text, (answer).username, (answer).short_id, (answer).expires_in, user_id from answer$$,
    $$values ('', 'user', 'bobby', 'bobby1', 3600, t.user('bobby'))$$, 'the answer says who it is and has a place for the token'
);
select results_eq(
    $$select l.user_id, l.address, l.expires_at from ccp.logins as l where l.id = (select login_id from answer)$$,
    $$values (t.user('bobby'), inet '198.51.100.7', timestamptz '2099-01-09')$$, 'a family lives seven days'
);
select is(t.last_event(), 'info | auth.success | bobby logged in | bobby', 'the audit log has it');
select is(
    (select concat_ws(' ', verdict, sentence) from api.login('bobby', '198.51.100.7', false, t.hash('a'))),
    'auth_invalid User name or password is wrong.', 'a wrong password begins none'
);
select is(t.last_event(), 'warning | auth.failed | a login as bobby with a wrong password was refused | bobby', 'the audit log has that too');
select is((select string_agg(distinct reason, ',') from ccp.penalties), 'auth_failed', 'and it costs a penalty');
delete from ccp.penalties;
select is((select verdict::text from api.login('bobbie', '198.51.100.7', true, t.hash('a'))), 'auth_invalid', 'an unknown name neither');
select is(t.last_event(), 'warning | auth.failed | a login with an unknown name was refused', 'which is not written down');
select is((select string_agg(distinct reason, ',') from ccp.penalties), 'unknown_user', 'and costs what that costs');
select is((select verdict::text from api.login('carol', '198.51.100.8', true, null)), 'auth_invalid', 'nor a user without a password');
insert into ccp.penalties (source, expires_at, refused, reason) values (access.penalty_source('198.51.100.9', 'bobby'), clock.now() + interval '30 s', true, 'grace');
select is(
    (select concat_ws(' ', verdict, retry_after_s, sentence) from api.login('bobby', '198.51.100.9', true, t.hash('a'))),
    'too_many_attempts 30 Too many attempts; try again in 30 seconds.', 'who has to wait is told how long'
);
select is(
    (select concat_ws(' ', verdict, retry_after_s, password_hash) from account.challenge('bobby', '198.51.100.9')), 'too_many_attempts 30',
    'before a password is checked, too'
);
select is(
    (select concat_ws(' ', verdict, retry_after_s, password_hash) from account.challenge('Bobby', '198.51.100.8')), 'ok 0 ' || t.hash('a'),
    'else there is the hash to check'
);
update ccp.users set disabled_at = clock.now() where username = 'bobby';
select is(
    (select concat_ws(' ', verdict, sentence) from api.login('bobby', '198.51.100.8', true, t.hash('a'))),
    'account_disabled This account is disabled; ask your administrator.', 'a disabled user is told after the right password'
);
select is(t.last_event(), 'warning | auth.failed | a login as bobby was refused: the account is disabled | bobby', 'the audit log says why');
update ccp.users set disabled_at = null, expires_at = clock.now() where username = 'bobby';
select is(
    (select concat_ws(' ', verdict, sentence) from api.login('bobby', '198.51.100.8', true, t.hash('a'))),
    'account_expired This account has expired; ask your administrator to extend it.', 'so is an expired one'
);

-- Refreshing.
create function t.refresh(p_generation integer) returns text language sql as $$
    select concat_ws(' ', verdict, sentence, (answer).username, generation, user_id = t.user('bobby'), login_id = (select login_id from answer))
    from api.refresh((select login_id from answer), p_generation)
$$;
grant select on answer to ccp_owner;
select is(
    t.refresh(1), 'account_expired This account is expired; ask your administrator.', 'an expired user refreshes nothing'
);
update ccp.users set expires_at = null where username = 'bobby';
select is(t.refresh(1), 'ok bobby 2 t t', 'a refresh raises the generation');
select t.at('2099-01-02 00:00:10');
select is(t.refresh(1), 'unauthenticated This login has ended; log in again.', 'the old token does not');
select is((select count(*)::integer from ccp.logins where revoked_at is not null), 0, 'ten seconds later it is forgiven');
select t.at('2099-01-02 00:00:11');
select is(t.refresh(1), 'unauthenticated This login has ended; log in again.', 'then it does not either');
select results_eq(
    $$select id, revoked_at, revoke_reason from ccp.logins where revoked_at is not null$$,
    $$select login_id, timestamptz '2099-01-02 00:00:11', 'reuse' from answer$$, 'and the family is revoked, that one and no other'
);
select is(
    t.last_event(), 'warning | auth.failed | a token of bobby that had been replaced was used again; that login is revoked | bobby',
    'the audit log says why'
);
select is((select verdict::text from api.refresh(gen_random_uuid(), 1)), 'unauthenticated', 'an unknown login refreshes nothing');
update ccp.logins set revoked_at = null, revoke_reason = null;
select throws_ok($$select api.logout((select login_id from answer), 1)$$, 'CP401', null, 'an old token logs nothing out');
select lives_ok($$select api.logout((select login_id from answer), 2)$$, 'the present one does');
select results_eq(
    $$select id, revoke_reason from ccp.logins where revoked_at is not null$$, $$select login_id, 'logout' from answer$$,
    'its own family'
);
update ccp.logins set revoked_at = null, revoke_reason = null, expires_at = clock.now() where id = (select login_id from answer);
select is(t.refresh(2), 'unauthenticated This login has ended; log in again.', 'a family ends at its time');
select throws_ok($$select api.admit(t.login('alice'), 1, 'admin')$$, 'CP403', null, 'who may not use a route is not admitted to it');
select lives_ok($$select api.admit(t.login('boss'), 1, 'admin')$$, 'who may is');

-- Public keys.
create function t.key(p_key text, p_name text default 'laptop', p_idempotency_key text default null) returns text language sql as $$
    select k.name || ' ' || k.key_sha256
    from api.own_ssh_key_create(
        t.login('alice'), 1, 'ssh-ed25519 ' || encode(p_key::bytea, 'base64'), p_name, p_idempotency_key, repeat('a', 64)
    ) as k
$$;
select is(t.key('one', p_idempotency_key => 'k2'), 'laptop ' || encode(sha256('one'), 'hex'), 'a key is registered by its digest');
select is(t.last_event(), 'info | key.registered | a public key named laptop was registered | alice', 'the audit log has it');
select is(t.key('one', p_idempotency_key => 'k2'), 'laptop ' || encode(sha256('one'), 'hex'), 'the same request again shows it');
select throws_ok($$select t.key('one')$$, 'CP409', 'This key is registered already.', 'another one for it is refused');
insert into ccp.ssh_keys (user_id, name, public_key, key_sha256)
select t.user('bobby'), 'key', 'ssh-ed25519 AAAA', encode(sha256(n::text::bytea), 'hex') from generate_series(1, 100) as n;
insert into ccp.ssh_keys (user_id, name, public_key, key_sha256)
select t.user('alice'), 'key', 'ssh-ed25519 AAAA', encode(sha256(n::text::bytea), 'hex') from generate_series(1, 98) as n;
select is(split_part(t.key('two'), ' ', 1), 'laptop', 'a user has a hundred keys');
select throws_ok($$select t.key('three')$$, 'CP409', 'There are 100 keys already; delete one first.', 'and no more');
select throws_ok(
    format('select api.own_ssh_key_delete(t.login(''bobby''), 1, %L)', id), 'CP404', 'There is no such key.', 'a key of another user is not found'
)
from ccp.ssh_keys where name = 'laptop' order by created_at limit 1;
select lives_ok(format('select api.own_ssh_key_delete(t.login(''alice''), 1, %L)', id), 'one''s own is removed')
from ccp.ssh_keys where key_sha256 = encode(sha256('two'), 'hex');
select is(
    (select count(*)::integer from ccp.ssh_keys where user_id = t.user('alice')), 99, 'that one and no other'
);
select is(t.last_event(), 'info | key.removed | the public key named laptop was removed | alice', 'the audit log has it');

select * from finish();
rollback;
