-- Who comes in with a token, and who is believed to act.
begin;
\ir ../hosts.psql
select plan(21);

insert into ccp.users (username, short_id, role) values ('bob', 'bob001', 'user'), ('root1', 'root01', 'admin');
insert into ccp.logins (user_id, address, expires_at)
select id, '198.51.100.9', clock.now() + interval '1 hour' from ccp.users;
create function t.login(p_name text) returns uuid language sql security definer as $$
    select l.id from ccp.logins as l join ccp.users as u on u.id = l.user_id where u.username = p_name
$$;
create function t.enter(p_name text, p_role text) returns uuid language sql security definer as $$
    select account.enter(t.login(p_name), 1, p_role)
$$;
create function t.actor() returns text language sql security definer as $$
    select concat_ws(' ', a.who, a.role, host(a.address)) from account.actor() as a
$$;

select is(t.enter('alice', 'user'), (select id from ccp.users where username = 'alice'), 'a user enters and is told the own id');
select is(t.actor(), session_user || ' database', 'outside of the API nobody acts but the session');
select set_config('ccp.actor', 'root1', true) is not null as done \gset
select is(t.actor(), session_user || ' database', 'whatever it claims');
select set_config('ccp.actor', '', true) is not null as done \gset

set session authorization ccp_api;
select is(t.actor(), 'ccp_api program', 'the API acts as a program until somebody enters');
select t.enter('alice', 'user') is not null as done \gset
select is(t.actor(), 'alice user 198.51.100.9', 'then that user acts, from the address of the login');
select t.enter('root1', 'admin') is not null as done \gset
select is(t.actor(), 'root1 admin 198.51.100.9', 'or that admin');
reset session authorization;
select account.act_as((select id from ccp.users where username = 'bob'), 'bob', 'user', null) is null as done \gset
set session authorization ccp_api;
select is(t.actor(), 'bob user', 'account.act_as names who acts before there is a token');
reset session authorization;
select throws_ok(
    $$set session authorization ccp_api; select account.act_as(null, 'root1', 'admin', null)$$, '42501', null,
    'which the API itself may not call'
);
reset session authorization;

-- What ends an entry, each at once.
select throws_ok($$select account.enter(gen_random_uuid(), 1, 'user')$$, 'CP401', 'this login has ended', 'an unknown login does not enter');
select throws_ok($$select account.enter(null, 1, 'user')$$, 'CP401', null, 'nor does none');
select throws_ok($$select account.enter(t.login('bob'), 0, 'user')$$, 'CP401', null, 'nor an older token of the family');
select throws_ok($$select t.enter('bob', 'admin')$$, 'CP403', 'only an admin may do this', 'a user is no admin');
update ccp.users set role = 'admin' where username = 'bob';
select lives_ok($$select t.enter('bob', 'admin')$$, 'until made one');
update ccp.users set role = 'user' where username = 'bob';
select throws_ok($$select t.enter('bob', 'admin')$$, 'CP403', null, 'and no longer when unmade, whatever the token says');
update ccp.users set disabled_at = clock.now() where username = 'bob';
select throws_ok($$select t.enter('bob', 'user')$$, 'CP403', 'this account is disabled', 'the disabled do not enter');
update ccp.users set disabled_at = null, expires_at = '2099-01-01' where username = 'bob';
update ccp.logins set expires_at = '2100-01-01';
set local test.now = '2098-12-31 23:59:59';
select lives_ok($$select t.enter('bob', 'user')$$, 'up to the last second a user enters');
set local test.now = '2099-01-01';
select throws_ok($$select t.enter('bob', 'user')$$, 'CP403', 'this account has expired', 'and then no more');
update ccp.logins set revoked_at = clock.now(), revoke_reason = 'admin' where id = t.login('alice');
select throws_ok($$select t.enter('alice', 'user')$$, 'CP401', null, 'a revoked login is over');
set local test.now = '2100-01-01';
select throws_ok($$select t.enter('root1', 'user')$$, 'CP401', null, 'so is one past its time');

-- The actor is who a task was created by, and whose hosts can be asked for.
set local test.now = '';
update ccp.logins set expires_at = '2150-01-01';
create function t.start() returns text language sql security definer as $$
    select (task.enqueue('host.start', t.host())).created_by
$$;
update ccp.users set expires_at = null;
set session authorization ccp_api;
select t.enter('root1', 'admin') is not null as done \gset
select is(t.start(), 'root1', 'a task is created by whoever entered');
select t.enter('bob', 'user') is not null as done \gset
select throws_ok(
    $$select t.start()$$, 'CP404', 'there is no such host', 'who asks for another''s host is told there is none'
);
reset session authorization;

select * from finish();
rollback;
