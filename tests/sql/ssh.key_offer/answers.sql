-- Which keys would be accepted, and for which host.
begin;
\ir ../hosts.psql
select plan(14);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.proxy() returns bigint language sql as $$
    select id from ccp.processes where program = 'ccp-sshproxy'
$$;
create function t.offer(p_key text, p_short_id text default 'abcdef') returns text language sql as $$
    select verdict || ' ' || retry_after_s from ssh.key_offer(t.proxy(), '198.51.100.7', p_short_id, repeat(p_key, 64))
$$;
insert into ccp.users (username, short_id) values ('bob', 'bob111');
insert into ccp.hosts (short_id, user_id, node_id, image, status)
select 'bobbob', u.id, n.id, 'image', 'stopped' from ccp.users as u, ccp.nodes as n where u.username = 'bob';
insert into ccp.ssh_keys (user_id, name, public_key, key_sha256)
select u.id, u.username, 'ssh-ed25519 AAAA', case u.username when 'alice' then repeat('a', 64) else repeat('b', 64) end
from ccp.users as u;
insert into ccp.access_grants (purpose, user_id, host_id, key_sha256, poll_token_sha256, created_at, expires_at, used_at)
select
    'bootstrap', h.user_id, h.id, repeat(g.key, 64), repeat(g.token, 64), clock.now() - interval '1 hour',
    clock.now() + g.life, g.used
from ccp.hosts as h,
    (values
        ('c', '1', interval '1 minute', null::timestamptz), ('c', '2', interval '2 minutes', null), ('d', '3', interval '0 s', null),
        ('e', '4', interval '1 minute', clock.now())
    ) as g (key, token, life, used)
where h.short_id = 'abcdef';

select is(t.offer('a'), 'ok 0', 'a registered key of the host''s user');
select is(t.offer('b'), 'auth_invalid 0', 'not one of another user');
select is(t.offer('b', 'bobbob'), 'ok 0', 'who has a host of his own');
select is(t.offer('c'), 'ok 0', 'a one-time key');
select is(t.offer('c', 'bobbob'), 'auth_invalid 0', 'for its host');
select is(t.offer('d'), 'auth_invalid 0', 'while it lives');
select is(t.offer('e'), 'auth_invalid 0', 'until it is used');
select is(t.offer('a', 'nobody'), 'auth_invalid 0', 'no key for a host that does not exist');
select is(
    (select g.poll_token_sha256::text from ccp.access_grants as g where g.id = ssh.grant_id(t.host(), repeat('c', 64))), repeat('2', 64),
    'of two one-time keys the one that lives longer'
);
select throws_ok($$select ssh.key_offer(0, '198.51.100.7', 'abcdef', repeat('a', 64))$$, 'CP401', null, 'an unknown process is told nothing');
insert into ccp.penalties (source, expires_at, refused, reason)
values (access.penalty_source('198.51.100.7', 'abcdef'), clock.now() + interval '30 s', true, 'auth_failed');
select is(t.offer('b'), 'too_many_attempts 30', 'who has to wait is told how long');
select is(t.offer('a') || ', ' || t.offer('c'), 'ok 0, ok 0', 'a right key does not wait for others'' mistakes');
delete from ccp.penalties;
select t.ask('host.delete');
select t.work();
select is(t.offer('a'), 'auth_invalid 0', 'a deleted host takes no key');
select is(t.offer('c'), 'auth_invalid 0', 'nor a one-time key');

select * from finish();
rollback;
