-- Coming in by ssh: keys, one-time keys, passwords, refusals, and the session until its end.
begin;
\ir ../hosts.psql
select plan(33);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.proxy() returns bigint language sql as $$
    select id from ccp.processes where program = 'ccp-sshproxy'
$$;
create function t.login(p_method text, p_key text, p_matched boolean) returns text language sql as $$
    select verdict from ssh.login(t.proxy(), '198.51.100.7', 'abcdef', p_method, p_key, p_matched, '$y$j9T$' || repeat('a', 40))
$$;
insert into ccp.ssh_keys (user_id, name, public_key, key_sha256)
select id, 'laptop', 'ssh-ed25519 AAAA', repeat('a', 64) from ccp.users;
insert into ccp.access_grants (purpose, user_id, host_id, key_sha256, poll_token_sha256, expires_at)
select 'bootstrap', user_id, id, repeat('b', 64), repeat('c', 64), clock.now() + interval '15 minutes' from ccp.hosts;

select lives_ok($$select ssh.set_host_key(t.proxy(), 'ssh-ed25519 AAAA')$$, 'the proxy stores its host key');
select is(setting.text('ssh_host_key'), 'ssh-ed25519 AAAA', 'for all hand-offs');
select matches((select password_hash from ssh.challenge(t.proxy(), '198.51.100.7', 'nobody')), '^\$y\$', 'an unknown host has a hash too');
select is((select verdict from ssh.key_offer(t.proxy(), '198.51.100.7', 'abcdef', repeat('a', 64))), 'ok', 'a registered key would be taken');
select is((select verdict from ssh.key_offer(t.proxy(), '198.51.100.7', 'abcdef', repeat('b', 64))), 'ok', 'so would a one-time key');
select is((select verdict from ssh.key_offer(t.proxy(), '198.51.100.7', 'abcdef', repeat('d', 64))), 'auth_invalid', 'others would not');
select is(t.login('key', repeat('b', 64), true), 'host_not_running', 'right credentials are told that the host does not run');
select t.run();
select is(t.login('key', repeat('b', 64), true), 'ok', 'the one-time key was not used up by that');
select is(t.login('key', repeat('b', 64), true), 'auth_invalid', 'but it comes in once');
select is(t.login('key', repeat('a', 64), true), 'ok', 'the registered key comes in');
update ccp.hosts set ssh_password_hash = '$y$j9T$' || repeat('a', 40);
select is(t.login('password', null, true), 'ok', 'so does the password');
update ccp.hosts set ssh_password_hash = '$y$j9T$' || repeat('b', 40);
select is(
    (select verdict from ssh.login(t.proxy(), '198.51.100.6', 'abcdef', 'password', null, true, '$y$j9T$' || repeat('a', 40))),
    'auth_invalid', 'one that was changed after it was checked does not'
);
update ccp.hosts set ssh_password_hash = null;
select is(t.login('password', null, true), 'auth_invalid', 'a host without a password takes none');
select is(
    (select sentence from ssh.login(t.proxy(), '198.51.100.9', 'abcdef', 'password', null, false, null)),
    (select sentence from ssh.login(t.proxy(), '198.51.100.9', 'nobody', 'password', null, false, null)),
    'a wrong password and an unknown host get the same answer'
);
select is_empty(
    $$select * from ccp.events where type = 'ssh.auth.failed' and (message || metadata) ~ 'nobody'$$,
    'a name that does not exist is not written down'
);
select is(
    (select metadata ->> 'user' from ccp.events where type = 'ssh.auth.failed' order by id desc offset 1 limit 1), 'abcdef', 'that of a host is'
);
select t.login('password', null, false);
select is(t.login('key', repeat('9', 64), true), 'too_many_attempts', 'three mistakes make one wait');
select is((select verdict from ssh.challenge(t.proxy(), '198.51.100.7', 'abcdef')), 'too_many_attempts', 'before anything is checked');
select results_eq(
    $$select * from ssh.key_offer(t.proxy(), '198.51.100.7', 'abcdef', repeat('9', 64))$$, $$values ('too_many_attempts'::ccp.verdict, 15)$$,
    'also when a key is only offered'
);
select is(
    (select verdict from ssh.login(t.proxy(), '198.51.100.8', 'abcdef', 'key', repeat('a', 64), true, null)), 'ok',
    'elsewhere the user comes in'
);
select ok((select count(*) > 0 from ccp.events where type = 'ssh.auth.failed'), 'failures are in the audit log');

create temporary table s as select id from ccp.sessions where method = 'grant';
select is((select verdict from session.open(t.agent(), (select id from s), 22)), 'ok', 'the agent may connect');
select ok(session.confirm(t.agent(), (select id from s)), 'and hand the socket over');
select is_empty($$select * from session.check(t.proxy(), array(select id from s))$$, 'nothing has to end');
update ccp.users set disabled_at = clock.now();
select is(t.login('password', null, true), 'too_many_attempts', 'limits come first');
select is(
    (select verdict from ssh.login(t.proxy(), '198.51.100.8', 'abcdef', 'key', repeat('a', 64), true, null)), 'account_disabled',
    'a disabled user is told'
);
select account.enforce();
select is((select end_reason from session.check(t.proxy(), array(select id from s))), 'disabled', 'the session has to end');
select ok(not session.confirm(t.agent(), (select id from s)), 'a late socket is not handed over');
select is((select verdict from session.open(t.agent(), (select id from s), 22)), 'session_ended', 'nor is a new one made');
select lives_ok($$select session.end(t.proxy(), (select id from s), 'closed', 10, 20)$$, 'it ends');
select is((select end_reason from ccp.sessions where id = (select id from s)), 'disabled', 'for the reason of the rules');
select is((select count(*)::integer from ccp.events where type = 'ssh.session.closed'), 1, 'the audit log has it');
select is(
    (select end_reason from session.check(t.proxy(), array[gen_random_uuid()])), 'process_gone', 'an unknown session has to end'
);

select * from finish();
rollback;
