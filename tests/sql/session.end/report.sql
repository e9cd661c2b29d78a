-- The report that a session is over, and sessions that no program holds.
begin;
\ir ../hosts.psql
select plan(18);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.proxy() returns bigint language sql as $$
    select id from ccp.processes where program = 'ccp-sshproxy'
$$;
create function t.session(p_method text) returns uuid language sql as $$ select id from ccp.sessions where method = p_method $$;
create function t.told(p_method text) returns text language sql as $$
    select concat_ws(' ', ended_at at time zone 'UTC', end_reason, bytes_up, bytes_down) from ccp.sessions where method = p_method
$$;
select t.at('2099-01-01 00:01:40');
insert into ccp.sessions (user_id, host_id, process_id, method, address, created_at)
select h.user_id, h.id, t.proxy(), m.method, '127.0.0.1', '2099-01-01'
from ccp.hosts as h, (values ('key'), ('password'), ('grant')) as m (method);

select throws_ok($$select session.end(0, t.session('key'), 'closed', 1, 2)$$, 'CP401', null, 'an unknown process ends nothing');
select session.end(t.worker(), t.session('key'), 'closed', 1, 2);
select is(t.told('key'), '0 0', 'nor does one that does not hold it');
select session.end(t.proxy(), t.session('key'), 'closed', 10, 20);
select is(t.told('key'), '2099-01-01 00:01:40 closed 10 20', 'its own program ends it');
select is((select count(*)::integer from ccp.sessions where ended_at is null), 2, 'and no other');
select results_eq(
    $$select message, user_id, host_id, metadata ->> 'session_id', metadata - 'session_id' from ccp.events where type = 'ssh.session.closed'$$,
    $$select 'a session ended after 100 s', h.user_id, h.id, t.session('key')::text,
        '{"reason": "closed", "bytes_up": 10, "bytes_down": 20}'::jsonb from ccp.hosts as h$$,
    'the audit log says how long it was and how much went through'
);
select t.at('2099-01-01 00:02:00');
select session.end(t.proxy(), t.session('key'), 'lost', 30, 40);
select is(t.told('key'), '2099-01-01 00:01:40 closed 10 20', 'the same again changes nothing');
select is((select count(*)::integer from ccp.events where type = 'ssh.session.closed'), 1, 'nor is it written again');
update ccp.sessions set end_requested_at = clock.now(), end_reason = 'expired' where method = 'password';
select session.end(t.proxy(), t.session('password'), 'closed', 0, 0);
select is(t.told('password'), '2099-01-01 00:02:00 expired 0 0', 'what the rules asked for stays the reason');

-- A program that is gone holds none.
select process.declare_dead(t.proxy(), 'silent') is not null as done \gset
select is(t.told('grant'), '2099-01-01 00:02:00 process_gone 0 0', 'the sessions of a dead program are over');
select is(t.told('key'), '2099-01-01 00:01:40 closed 10 20', 'those that had ended stay as they were');
select results_eq(
    $$select message, user_id, host_id, metadata from ccp.events where type = 'ssh.session.closed' order by id desc limit 1$$,
    $$select 'a session ended because the program that held it is gone (silent)', h.user_id, h.id,
        jsonb_build_object('session_id', t.session('grant'), 'reason', 'process_gone') from ccp.hosts as h$$,
    'the audit log says why'
);
select is((select count(*)::integer from ccp.events where type = 'ssh.session.closed'), 3, 'once for each');
select is(session.sentence('disabled'), 'This account was disabled: the session ends.', 'a disabled user reads so');
select is(session.sentence('expired'), 'This account has expired: the session ends.', 'an expired one too');
select is(session.sentence('process_gone'), 'The session was ended by a restart.', 'after a restart');
select is(session.sentence('canceled'), 'The session was ended by an administrator.', 'or whatever else ended it');
update ccp.sessions set ended_at = null, end_requested_at = clock.now(), end_reason = 'disabled' where method = 'grant';
select session.abandon(array[t.session('grant')], 'process_gone', 'x');
select is((select end_reason from ccp.sessions where method = 'grant'), 'disabled', 'what the rules asked for stays the reason here too');

select session.abandon(array[t.session('key')], 'process_gone', 'x');
select is(t.told('key'), '2099-01-01 00:01:40 closed 10 20', 'and what had ended stays as it ended');

select * from finish();
rollback;
