-- What the agent may connect: a session that is live, of an active user, into a running host of the agent's own node.
begin;
\ir ../hosts.psql
select plan(34);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.proxy() returns bigint language sql as $$
    select id from ccp.processes where program = 'ccp-sshproxy'
$$;
create function t.session(p_method text) returns uuid language sql as $$ select id from ccp.sessions where method = p_method $$;
create function t.open(p_port integer default 22) returns text language sql as $$
    select concat_ws(' ', verdict, (select h.short_id from ccp.hosts as h where h.id = host_id), sentence)
    from session.open(t.agent(), t.session('key'), p_port)
$$;
select t.run();
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select h.user_id, h.id, t.proxy(), m.method, '127.0.0.1'
from ccp.hosts as h, (values ('key'), ('password')) as m (method);

select is(t.open(), 'ok abcdef', 'a live session into a running host is opened');
select is((select count(*)::integer from ccp.sessions where opened_at is not null), 1, 'that one and no other');
select is(t.open(1), 'ok abcdef', 'at any port');
select is(t.open(65535), 'ok abcdef', 'up to the last');
select is(t.open(0), 'port_invalid This port is not valid.', 'but not below the first');
select is(t.open(65536), 'port_invalid This port is not valid.', 'nor above the last');
select is(
    (select verdict::text from session.open(t.agent(), gen_random_uuid(), 22)), 'session_ended', 'an unknown session is not opened'
);
select is(
    (select verdict::text from session.open(p.process_id, t.session('key'), 22)), 'session_ended', 'nor one into another node''s host'
)
from process.register('ccp-agent', 'node2', 9, 'test') as p;
select process.unregister(id) is null as done from ccp.processes where pid = 9 \gset
select throws_ok($$select session.open(0, t.session('key'), 22)$$, 'CP401', null, 'an unknown process is not answered');

-- The first opening is kept; so is the first confirmation.
select t.at('2099-01-01');
update ccp.sessions set opened_at = '2098-12-31' where method = 'key';
select is(t.open(), 'ok abcdef', 'opening again is allowed');
select is((select opened_at from ccp.sessions where method = 'key'), timestamptz '2098-12-31', 'the first time counts');
select throws_ok($$select session.confirm(0, t.session('key'))$$, 'CP401', null, 'an unknown process confirms nothing');
select ok(not session.confirm(t.agent(), t.session('password')), 'what was not opened is not confirmed');
select is((select count(*)::integer from ccp.sessions where confirmed_at is not null), 0, 'nothing is');
select ok(session.confirm(t.agent(), t.session('key')), 'what was opened is');
select is((select count(*)::integer from ccp.sessions where confirmed_at is not null), 1, 'that and no other');
select t.at('2099-01-01 00:00:01');
select ok(session.confirm(t.agent(), t.session('key')), 'twice too');
select is((select confirmed_at from ccp.sessions where method = 'key'), timestamptz '2099-01-01', 'the first time counts');

-- What ends one, ends the other.
update ccp.sessions set end_requested_at = clock.now(), end_reason = 'expired';
select is(t.open(), 'session_ended This session has ended.', 'one that is to end is not opened');
select ok(not session.confirm(t.agent(), t.session('key')), 'nor confirmed');
update ccp.sessions set end_requested_at = null, ended_at = clock.now(), end_reason = 'closed' where method = 'key';
select is(t.open(), 'session_ended This session has ended.', 'neither is one that has ended');
select ok(not session.confirm(t.agent(), t.session('key')), 'nor confirmed');
update ccp.sessions set end_requested_at = null, ended_at = null, end_reason = null;
update ccp.users set disabled_at = clock.now();
select is(t.open(), 'account_disabled This account was disabled: the session ends.', 'a disabled user does not come in');
update ccp.users set disabled_at = null, expires_at = clock.now();
select is(t.open(), 'account_expired This account has expired: the session ends.', 'nor an expired one');
update ccp.users set expires_at = null;
select t.ask('host.stop');
select is(t.open(), 'session_ended This session has ended.', 'a session in a host that is being stopped is to end');
update ccp.sessions set end_requested_at = null, end_reason = null;
select is(t.open(), 'host_not_running This host is stopping: try again in a moment.', 'a host that is being stopped takes no session');
select ok(not session.confirm(t.agent(), t.session('key')), 'nor the socket of one that was opened before');

-- Another host that runs does not stand for this one.
insert into ccp.hosts (short_id, user_id, node_id, image, status) select 'ghijkl', user_id, node_id, 'image', 'running' from ccp.hosts;
select ok(not session.confirm(t.agent(), t.session('key')), 'the session''s own host has to run');

-- What has to end: asked for by the rules, ended, or not the caller's.
update ccp.sessions set opened_at = clock.now();
update ccp.sessions set end_requested_at = clock.now(), end_reason = 'expired' where method = 'key';
select results_eq(
    $$select session_id, end_reason, sentence from session.check(t.proxy(), array(select id from ccp.sessions))$$,
    $$select id, 'expired', 'This account has expired: the session ends.' from ccp.sessions where method = 'key'$$,
    'what the rules ask for, with the reason and a sentence'
);
update ccp.sessions set end_requested_at = null, end_reason = 'closed', ended_at = clock.now() where method = 'key';
select results_eq(
    $$select session_id, sentence from session.check(t.proxy(), array(select id from ccp.sessions))$$,
    $$select id, 'The session was ended by an administrator.' from ccp.sessions where method = 'key'$$,
    'what has ended'
);
select results_eq(
    $$select sentence from session.check(t.worker(), array[t.session('password')])$$,
    $$values ('The session was ended by a restart.')$$, 'and what belongs to another process'
);
select throws_ok($$select session.check(0, '{}')$$, 'CP401', null, 'an unknown process is told nothing');
update ccp.sessions set opened_at = null, confirmed_at = null, created_at = clock.now() - interval '11 seconds' where method = 'key';
select session.check(t.proxy(), array[t.session('password')]);
select is((select end_reason from ccp.sessions where method = 'key'), 'closed', 'what ended before it began stays as it ended');
select is((select count(*)::integer from ccp.events where type = 'ssh.session.closed'), 0, 'and is not told of again');

select * from finish();
rollback;
