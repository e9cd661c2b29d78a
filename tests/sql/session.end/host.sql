-- Sessions end with the host that they are in, before anything inside is ended, and hear why.
begin;
\ir ../hosts.psql
select plan(22);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.proxy() returns bigint language sql as $$
    select id from ccp.processes where program = 'ccp-sshproxy'
$$;
-- A live session and one that has ended already, in a host that runs.
create function t.enter() returns void language plpgsql as $$
begin
    delete from ccp.sessions;
    insert into ccp.sessions (user_id, host_id, process_id, method, address)
    select h.user_id, h.id, t.proxy(), 'key', '127.0.0.1' from ccp.hosts as h;
    insert into ccp.sessions (user_id, host_id, process_id, method, address, ended_at, end_reason)
    select h.user_id, h.id, t.proxy(), 'password', '127.0.0.1', clock.now(), 'closed' from ccp.hosts as h;
end
$$;
create function t.told() returns text language sql as $$
    select coalesce(string_agg(concat_ws(': ', c.end_reason, c.sentence), ' + '), '')
    from session.check(t.proxy(), array(select id from ccp.sessions where method = 'key')) as c
$$;
create function t.reason(p_method text) returns text language sql as $$
    select concat_ws(' ', end_reason, end_requested_at is not null) from ccp.sessions where method = p_method
$$;

select t.run();
select t.enter();
select is(t.told(), '', 'in a host that runs nobody is sent away');
select t.ask('host.verify') is not null as done \gset
select is(t.told(), '', 'nor while it is verified');
select t.work();

select t.ask('host.stop') is not null as done \gset
select is(t.told(), 'host_stopping: This host was stopped; ask your administrator to start it.', 'a stop is said when it is asked for, not when it is done');
select is(t.reason('password'), 'closed f', 'what had ended keeps its reason');
select is(session.host_sentence('stopping', 'abcdef'), 'This host is stopping: try again in a moment.', 'who comes now is told too');
select t.work();
select is(session.host_sentence('stopped', 'abcdef'), 'This host is stopped: ask your administrator to start it.', 'and afterwards');

select setting.put('public_url', '"https://ccp.example:8443/x"') is null as done \gset
select is(
    session.host_sentence('stopped', 'abcdef'), 'This host is stopped: start it with: curl -sSf https://ccp.example:8443/x/entry/abcdef | bash',
    'with the line to type where there is one'
);
select is(
    session.host_sentence('failed', 'abcdef'), 'This host is failed: start it with: curl -sSf https://ccp.example:8443/x/entry/abcdef | bash',
    'the same for one that failed'
);
select is(
    session.sentence('host_stopping', null, 'abcdef'), 'This host was stopped; start it with: curl -sSf https://ccp.example:8443/x/entry/abcdef | bash',
    'who was inside gets it as well'
);
update ccp.settings set value = '"https://ccp.example/$(id)"' where name = 'public_url';
select is(session.host_sentence('stopped', 'abcdef'), 'This host is stopped: ask your administrator to start it.', 'never one that a shell would read otherwise');
update ccp.settings set value = to_jsonb('https://' || repeat('x', 121)) where name = 'public_url';
select is(session.way_back('abcdef'), 'ask your administrator to start it.', 'nor one that a terminal line does not hold');
update ccp.settings set value = to_jsonb('https://' || repeat('x', 120)) where name = 'public_url';
select ok(length(session.sentence('host_idle', null, repeat('a', 16))) < 256, 'the longest has room in the proxy''s message');
select is(session.host_sentence('starting', 'abcdef'), 'This host is starting: try again in a moment.', 'what goes by itself is waited for');
select is(session.host_sentence('deleting', 'abcdef'), 'This host is deleted.', 'what goes for good is not');
select is(session.host_sentence('deleted', 'abcdef'), 'This host is deleted.', 'nor what has gone');
select is(
    session.host_sentence('unavailable', 'abcdef'), 'This host is unavailable: it is started again by itself; try again in a minute.', 'what comes back by itself is waited for'
);

select t.run();
select t.enter();
select t.ask('host.rebuild') is not null as done \gset
select is(t.told(), 'host_rebuilding: This host is being rebuilt: try again in a moment.', 'a rebuild is said');
select t.work();
select t.enter();
update ccp.sessions set end_requested_at = clock.now(), end_reason = 'expired' where method = 'key';
select t.ask('host.stop') is not null as done \gset
select is(t.told(), 'expired: This account has expired: the session ends.', 'the first reason stays');
select t.work();

select t.run();
select t.enter();
select host.mark_unavailable(h, 'leak', 'it leaks') is null as done from ccp.hosts as h \gset
select is(
    t.told(), 'host_unavailable: This host was closed because its exit could not be proven; it is started again by itself: try again in a minute.',
    'one that no longer holds'
);
select t.enter();
select t.ask('host.delete') is not null as done \gset
select is(t.told(), 'host_deleting: This host was deleted.', 'a deletion is said');
select is(t.reason('password'), 'closed f', 'again what had ended is left alone');
select is((select count(*)::integer from ccp.sessions where end_requested_at is not null), 1, 'and nothing else is asked for');
select * from finish();
rollback;
