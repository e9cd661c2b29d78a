-- The entry link: sign in with the owner's password, start the host, get in; and what a stranger is told.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(32);

select t.at('2099-01-01');
create function t.hash() returns text language sql as $$ select '$2b$10$' || repeat('a', 53) $$;
update ccp.users set password_hash = t.hash();
create sequence t.poll;
create function t.enter(p_host text default 'abcdef', p_matched boolean default true, p_hash text default t.hash()) returns text language sql as $$
    select concat_ws(' ', s.verdict, s.retry_after_s, s.sentence, (s.answer).status, (s.answer).ssh_host, (s.answer).ssh_port,
        (s.answer).ssh_user, (s.answer).host_keys, nullif((s.answer).poll_token, ''),
        (s.answer).status_url = '/v1/bootstrap/tasks/' || (s.answer).task_id)
    from api.entry_auth(
        p_host, '198.51.100.7', p_matched, p_hash, lpad(to_hex(nextval('t.poll')), 64, '0'), 'ssh-ed25519 ' || encode('key', 'base64')
    ) as s
$$;
create function t.forget() returns void language sql as $$ delete from ccp.penalties $$;
create function t.challenge(p_host text) returns text language sql as $$
    select concat_ws(' ', c.verdict, c.retry_after_s, c.password_hash) from account.entry_challenge(p_host, '198.51.100.7') as c
$$;

-- The challenge.
select is(t.challenge('ABCDEF'), 'ok 0 ' || t.hash(), 'the owner''s hash is what a password is checked against');
select is(t.challenge('nobody'), 'ok 0', 'an id that leads nowhere has none, and is not told from one that does');

-- Who has no right there.
select is(t.enter('nobody'), 'auth_invalid 0 The password is wrong, or the link leads to no host.', 'an id that leads nowhere is refused');
select is(
    t.last_event(), 'warning | auth.failed | a login with an unknown name was refused', 'the event does not say the id, which may be anything'
);
select is(t.enter('abcdef', false), 'auth_invalid 0 The password is wrong, or the link leads to no host.', 'like a wrong password');
select is(
    t.last_event(), 'warning | auth.failed | a login as alice with a wrong password was refused | alice | abcdef',
    'whose event names user and host'
);
select is(t.enter('abcdef', true, '$2b$10$' || repeat('b', 53)), t.enter('nobody'), 'like a password that was changed in between');
select is(t.enter('abcdef', true, null), 'auth_invalid 0 The password is wrong, or the link leads to no host.', 'and no hash is no password');
select is(t.enter(), 'too_many_attempts 15 Too many attempts; try again in 15 seconds.', 'three mistakes make the id wait');
select is(t.challenge('aBcDeF'), 'too_many_attempts 15', 'before a hash is given away');
select is(
    (select verdict from account.challenge('alice', '198.51.100.7')), 'ok',
    'the owner''s name does not wait with it: that would tell whose host it is'
);
select is(
    (select array_agg(distinct p.reason order by p.reason) from ccp.penalties as p), array['auth_failed', 'unknown_user'], 'each mistake is named'
);
select t.forget();
select access.penalty_add('198.51.100.7', 'alice', 'auth_failed') from generate_series(1, 3);
select is(left(t.challenge('abcdef'), 4), 'ok 0', 'nor does the link wait for the owner''s name');
select t.forget();
update ccp.hosts set desired = 'absent';
select is(t.challenge('abcdef'), 'ok 0', 'a host that is to go is not there');
select is(t.enter(), 'auth_invalid 0 The password is wrong, or the link leads to no host.', 'for the right password too');
update ccp.hosts set desired = 'stopped';
select t.forget();
select is((select count(*)::integer from ccp.task_rows) + (select count(*)::integer from ccp.access_grants), 0, 'none of it began anything');

-- An account that is not active is named after the right password only.
update ccp.users set disabled_at = clock.now() where username = 'alice';
select is(t.enter('abcdef', false), 'auth_invalid 0 The password is wrong, or the link leads to no host.', 'with a wrong one it is not');
select is(t.enter(), 'account_disabled 0 This account is disabled; ask your administrator.', 'a disabled user is told');
select is(
    t.last_event(), 'warning | auth.failed | a login as alice was refused: the account is disabled | alice | abcdef', 'which leaves its event'
);
update ccp.users set disabled_at = null where username = 'alice';
select t.forget();

-- Who has.
update ccp.bindings set ended_at = clock.now();
select is(t.enter(), 'egress_binding_missing 0 Host abcdef has no exit; ask your administrator to bind one.', 'a host without an exit is not started');
update ccp.bindings set ended_at = null;
select is(t.enter(), 'accepted 0 starting {} t', 'a stopped host is started');
select results_eq(
    $$select g.purpose, g.user_id, h.short_id::text, k.kind::text, g.key_sha256::text, g.address, g.expires_at
    from ccp.access_grants as g join ccp.hosts as h on h.id = g.host_id join ccp.task_rows as k on k.id = g.task_id$$,
    $$values ('entry', t.user('alice'), 'abcdef', 'host.start', encode(sha256('key'), 'hex'), inet '198.51.100.7',
        timestamptz '2099-01-01 00:15:00')$$,
    'a poll token and a one-time key are granted for 15 minutes'
);
select is(
    (select string_agg(distinct concat_ws(' | ', e.message, e.user_id = t.user('alice'), e.host_id = t.host()), ',') from ccp.events as e
    where e.type = 'auth.success'), 'alice logged in | t | t', 'the event names user and host'
);
select is(t.enter('ABCDEF'), 'accepted 0 starting {} t', 'the same start is joined');
select is((select count(distinct task_id)::integer from ccp.access_grants), 1, 'by another token');
select t.work();
select is(t.enter(), 'accepted 0 starting {} t', 'a host that runs is not ready while the way in is not known');
select setting.put('ssh_host', '"ssh.example"') is null as done \gset
select setting.put('ssh_host_key', '"ssh-ed25519 AAAA"') is null as done \gset
select is(t.enter(), 'ok 0 ready ssh.example 2222 abcdef {"ssh-ed25519 AAAA"} t', 'then it is, and the answer has it');
select is((select count(*)::integer from ccp.task_rows), 1, 'and is not started again');
select t.ask('host.rebuild') is null as done \gset
select is(
    t.enter(), 'start_failed 0 host.start has to wait: host.rebuild is queued', 'a host that is being rebuilt says so'
);

-- The script.
select is(api.entry_script('aBcDeF'), row(null, 'abcdef')::api.script, 'the script needs the address of the API');
select setting.put('public_url', '"https://ccp.example"') is null as done \gset
select is(api.entry_script('nobody'), row('https://ccp.example', 'nobody')::api.script, 'and is the same for an id that leads nowhere');
select is(api.bootstrap_script(), row('https://ccp.example', null)::api.script, 'that of bootstrap is no host''s');

select * from finish();
rollback;
