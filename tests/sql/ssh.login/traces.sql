-- What a login by ssh checks, and the traces that it leaves: session, event, penalty, the key's last use.
begin;
\ir ../hosts.psql
select plan(53);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.proxy() returns bigint language sql as $$
    select id from ccp.processes where program = 'ccp-sshproxy'
$$;
create function t.login(
    p_method text,
    p_key text default null,
    p_matched boolean default true,
    p_hash text default null,
    p_short_id text default 'abcdef',
    p_address inet default '198.51.100.7'
) returns text language sql as $$
    delete from ccp.penalties;
    select concat_ws(' ', l.verdict, case when l.session_id is null then l.sentence else 'session' end)
    from ssh.login(t.proxy(), p_address, p_short_id, p_method, p_key, p_matched, p_hash) as l
$$;
create function t.penalty() returns text language sql as $$ select string_agg(distinct reason, ', ') from ccp.penalties $$;
create function t.last_event() returns text language sql as $$
    select concat_ws(' | ', e.level, e.type, e.message, u.username, h.short_id, e.metadata - 'session_id')
    from ccp.events as e
    left join ccp.users as u on u.id = e.user_id
    left join ccp.hosts as h on h.id = e.host_id
    order by e.id desc limit 1
$$;
select t.at('2099-01-01');
select t.run();
insert into ccp.users (username, short_id) values ('bob', 'bob111');
insert into ccp.hosts (short_id, user_id, node_id, image, status)
select 'bobbob', u.id, n.id, 'image', 'running' from ccp.users as u, ccp.nodes as n where u.username = 'bob';
insert into ccp.ssh_keys (user_id, name, public_key, key_sha256)
select u.id, u.username, 'ssh-ed25519 AAAA', case u.username when 'alice' then repeat('a', 64) else repeat('b', 64) end
from ccp.users as u;
insert into ccp.access_grants (purpose, user_id, host_id, key_sha256, poll_token_sha256, created_at, expires_at, used_at)
select
    'bootstrap', h.user_id, h.id, repeat(g.key, 64), repeat(g.key, 64), clock.now() - interval '1 hour',
    clock.now() + g.life, g.used
from ccp.hosts as h,
    (values
        ('c', interval '1 second', null::timestamptz), ('d', interval '0 s', null), ('e', interval '1 second', timestamptz '2098-12-31')
    ) as g (key, life, used)
where h.short_id = 'abcdef';
update ccp.hosts set ssh_password_hash = '$y$j9T$' || repeat('a', 40) where short_id = 'abcdef';

-- Keys.
select is(t.login('key', repeat('a', 64)), 'ok session', 'a registered key comes in');
select results_eq(
    $$select u.username::text, h.short_id::text, s.process_id, s.method::text, s.key_sha256::text, s.address
    from ccp.sessions as s join ccp.users as u on u.id = s.user_id join ccp.hosts as h on h.id = s.host_id$$,
    $$values ('alice', 'abcdef', t.proxy(), 'key', repeat('a', 64), inet '198.51.100.7')$$, 'as a session of its user in its host'
);
select is(
    t.last_event(), 'info | ssh.session.opened | alice came in by ssh from 198.51.100.7 | alice | abcdef | {"method": "key", "address": "198.51.100.7"}',
    'the audit log has it'
);
select is(
    (select metadata ->> 'session_id' from ccp.events where type = 'ssh.session.opened'), (select id::text from ccp.sessions), 'with the session'
);
select is((select last_used_at from ccp.ssh_keys where name = 'alice'), timestamptz '2099-01-01', 'the key remembers its last use');
select is((select last_used_at from ccp.ssh_keys where name = 'bob'), null, 'others do not');
select is(t.penalty(), null, 'which costs nothing');
select is(t.login('key', repeat('b', 64)), 'auth_invalid Permission denied.', 'another user''s key does not come in');
select is(
    t.last_event(), 'warning | ssh.auth.failed | a client at 198.51.100.7 failed to log in by key | alice | abcdef | '
    || '{"user": "abcdef", "method": "key", "address": "198.51.100.7"}', 'the audit log has that too'
);
select is(t.penalty(), 'auth_failed', 'and it costs a penalty');
select is(t.login('key', repeat('a', 64), false), 'auth_invalid Permission denied.', 'nor does a key without its signature');
select is(t.login('key', repeat('a', 64), null), 'auth_invalid Permission denied.', 'or one that was not checked');
select is(t.login('key', repeat('a', 64), p_short_id => 'nobody'), 'auth_invalid Permission denied.', 'or one for a host that does not exist');
select is(t.penalty(), 'unknown_user', 'which costs more');
select is(
    t.last_event(), 'warning | ssh.auth.failed | a client at 198.51.100.7 failed to log in by key | {"method": "key", "address": "198.51.100.7"}',
    'the audit log names no host'
);
select is(t.login('token', repeat('a', 64)), 'auth_invalid Permission denied.', 'there are keys and passwords');

-- One-time keys.
select is(t.login('key', repeat('c', 64), p_short_id => 'bobbob'), 'auth_invalid Permission denied.', 'a one-time key is for its host');
select is(t.login('key', repeat('d', 64)), 'auth_invalid Permission denied.', 'until its time is over');
select is(t.login('key', repeat('e', 64)), 'auth_invalid Permission denied.', 'and for once');
select is(t.login('key', repeat('c', 64)), 'ok session', 'it comes in');
select is((select used_at from ccp.access_grants where key_sha256 = repeat('c', 64)), timestamptz '2099-01-01', 'and is used up');
select is((select used_at from ccp.access_grants where key_sha256 = repeat('d', 64)), null, 'that one and no other');
select is((select method from ccp.sessions where key_sha256 = repeat('c', 64)), 'grant', 'the session says how');
select is(t.login('key', repeat('c', 64)), 'auth_invalid Permission denied.', 'it does not come in again');

-- Two logins with it at once: the second found it unused and comes too late.
alter function ssh.grant_id(uuid, text) rename to grant_id_really;
create function ssh.grant_id(p_host_id uuid, p_key_sha256 text) returns uuid language sql as $$
    select id from ccp.access_grants where key_sha256 = p_key_sha256
$$;
select is(t.login('key', repeat('c', 64)), 'auth_invalid Permission denied.', 'of two logins with one key at once one comes in');
drop function ssh.grant_id(uuid, text);
alter function ssh.grant_id_really(uuid, text) rename to grant_id;

-- Passwords.
select is(t.login('password', null, true, '$y$j9T$' || repeat('a', 40)), 'ok session', 'the password comes in');
select t.at('2099-01-01 00:00:01');
select is(t.login('password', repeat('a', 64), true, '$y$j9T$' || repeat('a', 40)), 'ok session', 'whatever key was tried before');
select is((select last_used_at from ccp.ssh_keys where name = 'alice'), timestamptz '2099-01-01', 'which was not used');
select t.at('2099-01-01');
select is(t.login('password', null, false, '$y$j9T$' || repeat('a', 40)), 'auth_invalid Permission denied.', 'a wrong one does not');
select is(t.login('password', null, true, '$y$j9T$' || repeat('b', 40)), 'auth_invalid Permission denied.', 'nor one that was changed meanwhile');
select is(t.login('password', repeat('a', 64), true, null), 'auth_invalid Permission denied.', 'nor a key instead of one');
select is(
    (select password_hash from ssh.challenge(t.proxy(), '198.51.100.7', 'abcdef')), '$y$j9T$' || repeat('a', 40), 'the hash to check is the host''s'
);
delete from ccp.penalties;
select results_eq(
    $$select verdict::text, retry_after_s, length(password_hash) from ssh.challenge(t.proxy(), '198.51.100.7', 'bobbob')$$,
    $$values ('ok', 0, 73)$$, 'of a host without a password one that nothing matches'
);
select isnt(
    (select password_hash from ssh.challenge(t.proxy(), '198.51.100.7', 'abcdef')),
    (select password_hash from ssh.challenge(t.proxy(), '198.51.100.7', 'bobbob')), 'which is not another host''s'
);

-- What is wrong with the account or the host is said after right credentials only.
update ccp.users set disabled_at = clock.now() where username = 'alice';
select is(t.login('key', repeat('a', 64)), 'account_disabled This account is disabled: ask an admin to enable it.', 'a disabled user reads so');
select is(t.login('key', repeat('b', 64)), 'auth_invalid Permission denied.', 'but not with wrong credentials');
update ccp.users set disabled_at = null, expires_at = clock.now() where username = 'alice';
select is(t.login('key', repeat('a', 64)), 'account_expired This account has expired: ask an admin to extend it.', 'so does an expired one');
select is(t.penalty(), null, 'which costs nothing');
update ccp.users set expires_at = null;
select t.ask('host.stop');
select is(t.login('key', repeat('a', 64)), 'host_not_running This host is stopping: try again in a moment.', 'a host that does not run is named');
select t.work();
select t.ask('host.delete');
select t.work();
select is(t.login('key', repeat('a', 64)), 'auth_invalid Permission denied.', 'a deleted one is unknown');
select is(t.penalty(), 'unknown_user', 'and costs as much');
select is(
    (select password_hash from ssh.challenge(t.proxy(), '198.51.100.7', 'abcdef')),
    (select password_hash from ssh.challenge(t.proxy(), '198.51.100.7', 'bobbob')), 'its hash is not given out'
);

-- Limits, and who may call.
insert into ccp.penalties (source, expires_at, refused, reason)
values (access.penalty_source('198.51.100.8', 'bobbob'), clock.now() + interval '30 s', true, 'grace');
select results_eq(
    format(
        $$select verdict::text, session_id, sentence from ssh.login(t.proxy(), '198.51.100.8', 'bobbob', %L, %L, %L, %L)$$,
        l.method, l.key, l.matched, l.hash
    ),
    $$values ('too_many_attempts', null::uuid, 'Too many attempts: wait 30 seconds.')$$, l.description
)
from (
    values
        ('key', repeat('9', 64), 'true', null, 'who has to wait is told how long'),
        ('key', repeat('b', 64), 'false', null, 'by a key without its signature too'),
        ('password', null, 'true', 'a hash', 'and by a password, right or wrong')
) as l (method, key, matched, hash, description);
select is(
    (select verdict::text from ssh.login(t.proxy(), '198.51.100.8', 'bobbob', 'key', repeat('b', 64), true, null)), 'ok',
    'a right key does not wait for others'' mistakes'
);
insert into ccp.access_grants (purpose, user_id, host_id, key_sha256, poll_token_sha256, expires_at)
select 'bootstrap', h.user_id, h.id, repeat('8', 64), repeat('8', 64), clock.now() + interval '1 minute'
from ccp.hosts as h
where h.short_id = 'bobbob';
select is(
    (select verdict::text from ssh.login(t.proxy(), '198.51.100.8', 'bobbob', 'key', repeat('8', 64), true, null)), 'ok',
    'nor does a one-time key'
);
select results_eq(
    $$select verdict::text, retry_after_s, password_hash from ssh.challenge(t.proxy(), '198.51.100.8', 'bobbob')$$,
    $$values ('too_many_attempts', 30, null)$$, 'before a password is checked, too'
);
select throws_ok($$select ssh.login(0, '198.51.100.7', 'bobbob', 'key', repeat('b', 64), true, null)$$, 'CP401', null, 'an unknown process logs nobody in');
select throws_ok($$select ssh.challenge(0, '198.51.100.7', 'bobbob')$$, 'CP401', null, 'gets no hash');
select throws_ok($$select ssh.abandon(0, '198.51.100.7', 'bobbob', 'grace')$$, 'CP401', null, 'gives no penalty');
select throws_ok($$select ssh.set_host_key(0, 'ssh-ed25519 AAAA')$$, 'CP401', null, 'and stores no host key');
select is(
    (select string_agg(e.answer, ' ') from (
        select case when ssh.set_host_key(t.proxy(), 'ssh-ed25519 ' || repeat('A', 8180)) is null then 'no' else 'stored' end as answer
    ) as e), 'stored', 'a host key may be long'
);

select * from finish();
rollback;
