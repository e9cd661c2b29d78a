-- Sessions as people see and end them.
begin;
\ir ../hosts.psql
\ir ../people.psql
\ir ../second_host.psql
select plan(33);

select t.at('2099-01-01');
select process.register('ccp-sshproxy', 'node1', 3, 'test');
update ccp.hosts set user_id = t.user('bobby') where short_id = 'ghijkl';
insert into ccp.sessions (id, kind, user_id, host_id, process_id, method, address, created_at, opened_at, ended_at, end_reason)
select s.id::uuid, s.kind, h.user_id, h.id, p.id, 'key', '198.51.100.7', s.at::timestamptz, s.at::timestamptz, s.ended::timestamptz, s.reason
from (values
    ('00000000-0000-4000-8000-000000000001', 'ssh', 'abcdef', '2098-01-01', null, null),
    ('00000000-0000-4000-8000-000000000002', 'desktop', 'abcdef', '2098-01-01', null, null),
    ('00000000-0000-4000-8000-000000000003', 'ssh', 'abcdef', '2098-01-02', '2098-01-03', 'closed'),
    ('00000000-0000-4000-8000-000000000004', 'ssh', 'ghijkl', '2098-01-04', null, null)
) as s (id, kind, host, at, ended, reason)
join ccp.hosts as h on h.short_id = s.host
join ccp.processes as p on p.program = 'ccp-sshproxy';
create function t.session(p_number integer) returns uuid language sql as $$
    select ('00000000-0000-4000-8000-00000000000' || p_number)::uuid
$$;
create function t.numbers(p_page api.session_page) returns text language sql as $$
    select concat_ws('|', string_agg(right(s.id::text, 1), ','), case when p_page.next_cursor is not null then 'more' end)
    from unnest(p_page.sessions) as s
$$;

-- Who is in which host.
select is(t.numbers(api.session_list(t.login('boss'), 1)), '4,2,1', 'those that are open, newest first');
select is(t.numbers(api.session_list(t.login('boss'), 1, p_sort => 'created_at', p_limit => 2)), '1,2|more', 'or oldest first, in pages');
select is(
    t.numbers(api.session_list(
        t.login('boss'), 1, p_limit => 2, p_cursor => (api.session_list(t.login('boss'), 1, p_limit => 2)).next_cursor
    )),
    '1', 'and the rest'
);
select is(t.numbers(api.session_list(t.login('boss'), 1, 'ended')), '3', 'those that have ended');
select is(t.numbers(api.session_list(t.login('boss'), 1, 'any')), '4,3,2,1', 'both');
select is(t.numbers(api.session_list(t.login('boss'), 1, p_kind => 'desktop')), '2', 'by kind');
select is(t.numbers(api.session_list(t.login('boss'), 1, p_user_id => t.user('bobby'))), '4', 'by user');
select is(t.numbers(api.session_list(t.login('boss'), 1, p_host_id => t.host())), '2,1', 'by host');
select is(
    (select concat_ws(' ', s.kind, s.username, s.host_short_id, s.method, s.address, s.created_at at time zone 'UTC', s.bytes_up, s.bytes_down)
    from unnest((api.session_list(t.login('boss'), 1, p_user_id => t.user('bobby'))).sessions) as s),
    'ssh bobby ghijkl key 198.51.100.7 2098-01-04 00:00:00 0 0', 'each says who is where, since when, and how'
);
select throws_ok($$select api.session_list(t.login('bobby'), 1)$$, 'CP403', null, 'all sessions are for admins');
select is(t.numbers(api.own_session_list(t.login('alice'), 1)), '2,1', 'users see their own that are open');
select is(t.numbers(api.own_session_list(t.login('alice'), 1, 'any', p_sort => 'created_at', p_limit => 2)), '1,2|more', 'and those of before, in pages');
select is(t.numbers(api.own_session_list(t.login('alice'), 1, 'ended')), '3', 'or those only');
select is(t.numbers(api.own_session_list(t.login('alice'), 1, 'any', 'ssh')), '3,1', 'by kind');
select is(t.numbers(api.own_session_list(t.login('alice'), 1, p_host_id => t.second())), '', 'nothing of others'' hosts');
select throws_ok($$select api.own_session_list(t.login('alice'), 2)$$, 'CP401', null, 'with a token of today');
select is((select username from unnest((api.own_session_list(t.login('bobby'), 1)).sessions)), 'bobby', 'with their name');

-- Ending one.
create function t.said(p_number integer) returns text language sql security definer as $$
    select concat_ws(' | ', c.end_reason, c.sentence)
    from ccp.processes as p
    cross join session.check(p.id, array[t.session(p_number)]) as c
    where p.program = 'ccp-sshproxy'
$$;
select throws_ok($$select api.own_session_end(t.login('alice'), 1, t.session(4))$$, 'CP404', 'There is no such session.', 'another''s is not found');
select throws_ok($$select api.session_end(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such session.', 'nor one that is not there');
select throws_ok($$select api.session_end(t.login('alice'), 1, t.session(1))$$, 'CP403', null, 'users end only their own');
select is(t.said(1), null, 'so far it goes on');
select lives_ok($$select api.own_session_end(t.login('alice'), 1, t.session(1))$$, 'which they do');
select is(t.said(1), 'user | This session was ended by its user from elsewhere.', 'the terminal hears who');
select is(t.last_event(), 'info | user.session.ended | the end of a session in host abcdef was asked for | alice | abcdef', 'the audit log too');
select lives_ok($$select api.session_end(t.login('boss'), 1, t.session(1))$$, 'asked again');
select is(t.said(1), 'user | This session was ended by its user from elsewhere.', 'the first one stays');
select lives_ok($$select api.session_end(t.login('boss'), 1, t.session(4))$$, 'an admin ends any');
select matches(t.said(4), '^admin \| This session was ended by the administrator [a-z]+\.$', 'by name');
select is(
    t.last_event(),
    format(
        'info | admin.session.ended | the end of the session of bobby in host ghijkl was asked for | bobby | ghijkl | {"session_id": "%s"}',
        t.session(4)
    ),
    'the audit log has it'
);
select lives_ok($$select api.session_end(t.login('boss'), 1, t.session(3))$$, 'one that has ended');
select is((select end_reason from ccp.sessions where id = t.session(3)), 'closed', 'stays as it was');
select is(t.said(2), null, 'and no other is touched');
select is((select count(*)::integer from ccp.events where type like '%.session.ended'), 2, 'each request is written down once');

select * from finish();
rollback;
