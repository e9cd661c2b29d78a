-- Row-level security binds user routes, the actor is believed only in sessions of the API, and a task of another's
-- host cannot be asked for.
begin;
\ir ../hosts.psql
select plan(15);

insert into ccp.users (username, short_id, role) values ('bob', 'bob001', 'user'), ('root1', 'root01', 'admin');
insert into ccp.logins (user_id, expires_at) select id, clock.now() + interval '1 hour' from ccp.users;
create function t.login(p_name text) returns uuid language sql security definer as $$
    select l.id from ccp.logins as l join ccp.users as u on u.id = l.user_id where u.username = p_name
$$;

grant ccp_as_user to current_user;
insert into ccp.observations (host_id, process_id, sequence, state, observed_at) values (t.host(), t.agent(), 1, 'running', clock.now());
select is(account.enter(t.login('alice'), 1, 'user'), (select id from ccp.users where username = 'alice'), 'alice enters');
set local role ccp_as_user;
select is((select count(*)::integer from ccp.bindings), 1, 'alice sees her binding');
select is((select count(host_id)::integer from ccp.observations), 1, 'and when her host was proven');
reset role;
select account.enter(t.login('bob'), 1, 'user');
set local role ccp_as_user;
select is((select count(*)::integer from ccp.bindings), 0, 'bob does not');
select is((select count(host_id)::integer from ccp.observations), 0, 'nor the proofs');
select throws_ok($$select password_hash from ccp.users$$, '42501', null, 'no route of a user reads password hashes');
select throws_ok($$select * from ccp.observations$$, '42501', null, 'nor what the agent sees of everybody''s hosts');
select throws_ok(
    $$select event.write('auth.success', 'x')$$, '42501', null, 'nor writes events about others: account.write_event() writes one''s own'
);
reset role;
select is((select who from account.actor()), session_user::text, 'outside the API the actor is the session');
select throws_ok($$select account.enter(t.login('bob'), 1, 'admin')$$, 'CP403', null, 'a user is no admin');
select throws_ok($$select account.enter(t.login('bob'), 2, 'user')$$, 'CP401', null, 'a token of another generation is worth nothing');
select lives_ok($$select account.enter(t.login('root1'), 1, 'user')$$, 'an admin may use the routes of users');
update ccp.users set expires_at = clock.now() where username = 'bob';
select throws_ok($$select account.enter(t.login('bob'), 1, 'user')$$, 'CP403', 'this account has expired', 'the expired do not enter');
set session authorization ccp_api;
select throws_ok($$select task.enqueue('host.start')$$, '42501', null, 'the API itself enqueues nothing');
reset session authorization;
update ccp.logins set revoked_at = clock.now(), revoke_reason = 'logout';
select throws_ok($$select account.enter(t.login('alice'), 1, 'user')$$, 'CP401', null, 'a revoked login is worth nothing');

select * from finish();
rollback;
