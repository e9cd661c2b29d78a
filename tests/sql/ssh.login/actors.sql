-- Who acts when somebody comes in by ssh: the person, from where; whoever is refused is not believed to be anybody.
begin;
\ir ../hosts.psql
select plan(10);

select process_id as proxy from process.register('ccp-sshproxy', 'node1', 3, 'test') \gset
create function t.actor() returns text language sql security definer as $$
    select concat_ws(' ', e.type, e.actor, e.actor_role, host(e.actor_address)) from ccp.events as e order by e.id desc limit 1
$$;
create function t.who() returns text language sql security definer as $$ select a.who from account.actor() as a $$;
create function t.session() returns uuid language sql security definer as $$ select s.id from ccp.sessions as s where s.ended_at is null $$;
select t.at('2099-01-01');
select t.run();
insert into ccp.ssh_keys (user_id, name, public_key, key_sha256)
select u.id, 'a', 'ssh-ed25519 AAAA', repeat('a', 64)
from ccp.users as u;

set session authorization ccp_sshproxy;
select is(
    (select verdict::text from ssh.login(:proxy, '198.51.100.7', 'abcdef', 'key', repeat('a', 64), true, null)), 'ok', 'alice comes in'
);
select is(t.actor(), 'ssh.session.opened alice user 198.51.100.7', 'she acts, from where she is');
select session.end(:proxy, t.session(), 'closed', 1, 2);
select is(t.actor(), 'ssh.session.closed alice user 198.51.100.7', 'and leaves');
select ssh.login(:proxy, '198.51.100.8', 'abcdef', 'key', repeat('b', 64), true, null);
select is(t.actor(), 'ssh.auth.failed alice anonymous 198.51.100.8', 'with another key one is not believed to be her');
select ssh.login(:proxy, '198.51.100.9', 'my-password', 'password', null, false, null);
select is(t.actor(), 'ssh.auth.failed unknown anonymous 198.51.100.9', 'an unknown name is nobody');
select ssh.abandon(:proxy, '198.51.100.10', 'abcdef', 'auth_failed');
select is(t.actor(), 'ssh.auth.failed alice anonymous 198.51.100.10', 'nor who leaves without a right key');
reset session authorization;
update ccp.users set role = 'admin', disabled_at = clock.now();
set session authorization ccp_sshproxy;
select is(
    (select verdict::text from ssh.login(:proxy, '198.51.100.7', 'abcdef', 'key', repeat('a', 64), true, null)), 'account_disabled',
    'a disabled account with the right key'
);
select is(t.actor(), 'ssh.auth.failed alice admin 198.51.100.7', 'is refused, which is written down in its name');
reset session authorization;
select is(
    (select message from ccp.events order by id desc limit 1), 'alice was not let in by ssh: the account is disabled', 'with the reason'
);
select set_config('ccp.actor', 'root1', true), set_config('ccp.actor_role', 'admin', true);
set session authorization ccp_agent;
select is(t.who(), 'ccp_agent', 'no other program says who acts');
reset session authorization;

select * from finish();
rollback;
