-- A host that nobody has been in for long is stopped, and its terminals are told before, where a silent session is nobody.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(58);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.proxy() returns bigint language sql as $$ select id from ccp.processes where program = 'ccp-sshproxy' and ended_at is null $$;
create function t.mine() returns text language sql as $$
    select string_agg(kind || ' ' || status, ', ') from ccp.task_rows where host_id = t.host() and status in ('queued', 'running')
$$;
-- Whether the rule stops the host at this time; it then runs again.
create function t.stops(p_at timestamptz) returns text language plpgsql as $$
declare
    v_stopped text;
begin
    perform t.at(p_at);
    perform host.stop_idle();
    v_stopped := t.mine();
    return coalesce(v_stopped, 'goes on');
end
$$;
create function t.come(p_at timestamptz) returns void language sql as $$
    insert into ccp.sessions (user_id, host_id, process_id, method, address, created_at, opened_at)
    select h.user_id, h.id, t.proxy(), 'key', '192.0.2.1', p_at, p_at from ccp.hosts as h where h.id = t.host()
$$;
create function t.sessions() returns uuid[] language sql as $$ select array_agg(id order by id) from ccp.sessions where ended_at is null $$;
-- What the proxy is told of its one session, which has been silent for so many seconds.
create function t.check(p_silent_s integer) returns text language sql as $$
    select coalesce(string_agg(concat_ws(' | ', c.end_reason, c.sentence, c.ends), ', '), '')
    from session.check(t.proxy(), t.sessions(), array[p_silent_s]) as c
$$;
create function t.begin(p_at timestamptz) returns void language plpgsql as $$
begin
    perform t.at(p_at);
    if t.status() = 'running' then
        perform t.ask('host.stop');
    end if;
    if t.mine() is not null then
        perform t.work();
    end if;
    perform t.run();
end
$$;

-- Never, unless somebody says so; the host before its user, the user before the setting.
select t.begin('2099-01-01 10:00');
select is(t.stops('2099-01-01 20:00'), 'goes on', 'by itself no host is stopped');
select setting.put('idle_stop_minutes', '60') is null as done \gset
select t.begin('2099-01-02 10:00');
select is(t.stops('2099-01-02 10:59:59'), 'goes on', 'the setting gives it an hour');
select is(t.stops('2099-01-02 11:00'), 'host.stop queued', 'which is over');
select is((select desired from ccp.hosts where id = t.host()), 'stopped', 'it is not wanted again before somebody starts it');
select is(
    t.last_event(), 'info | host.stop.idle | host abcdef is stopped: nobody has been in it for 60 minutes | alice | abcdef | host.stop',
    'which the audit log has with the reason'
);
select is((select created_by from ccp.task_rows where kind = 'host.stop' and status = 'queued'), 'idle', 'and the task');
select is(host.stop_idle(), null, 'a host that is being stopped');
select is((select count(*)::integer from ccp.events where type = 'host.stop.idle'), 1, 'is not stopped again');
select t.work();
select clock.tick('worker');
select is(t.mine(), null, 'nor started by reconciliation');
select account.edit(t.user('alice'), p_idle_stop_minutes => 30);
select is((select idle_stop_minutes::integer from ccp.users where username = 'alice'), 30, 'a user has minutes of one''s own');
select t.begin('2099-01-03 10:00');
select is(t.stops('2099-01-03 10:30'), 'host.stop queued', 'which count before the setting''s');
select is(host.edit(t.host(), '{"idle_stop_minutes": 120}'), null, 'a host has minutes of its own, which count at once');
select t.begin('2099-01-04 10:00');
select is(t.stops('2099-01-04 11:59:59'), 'goes on', 'and before its user''s');
select is(t.stops('2099-01-04 12:00'), 'host.stop queued', 'to the second');
select host.edit(t.host(), '{"idle_stop_minutes": null}');
select account.edit(t.user('alice'), p_idle_stop_minutes => null);
select is(
    (select array[u.idle_stop_minutes, h.idle_stop_minutes] from ccp.users as u, ccp.hosts as h where u.username = 'alice' and h.id = t.host()),
    array[null, null]::ccp.idle_minutes[], 'both are taken away'
);
select account.edit(t.user('alice'), p_role => 'user');
select throws_ok($$select account.edit(t.user('alice'), p_idle_stop_minutes => 9)$$, '23514', null, 'ten minutes are the least');
select throws_ok($$select host.edit(t.host(), '{"idle_stop_minutes": 525601}')$$, '23514', null, 'and a year the most');
select throws_ok($$select setting.put('idle_stop_minutes', '9')$$, 'CP422', null, 'for the setting too');

-- Whom it counts.
select t.begin('2099-01-05 10:00');
select t.come('2099-01-05 10:30');
select is(t.stops('2099-01-05 20:00'), 'goes on', 'a host with a session is not idle');
select session.end(t.proxy(), id, 'closed', 0, 0) from ccp.sessions where ended_at is null;
select is(t.stops('2099-01-05 20:59:59'), 'goes on', 'its minutes begin');
select is(t.stops('2099-01-05 21:00'), 'host.stop queued', 'when the last one ends');
select t.begin('2099-01-06 10:00');
select is(t.stops('2099-01-06 10:59:59'), 'goes on', 'or with the start, if that is later');
select t.ask('host.verify');
select is(t.stops('2099-01-06 11:00'), 'host.verify queued', 'a host with a task waits for its end');
select t.work();
select is(t.stops('2099-01-06 11:00:01'), 'host.stop queued', 'and no longer');
select t.work();
select is(t.stops('2099-01-06 20:00'), 'goes on', 'one that is stopped has nothing to end');
select t.begin('2099-01-07 10:00');
update ccp.hosts set desired = 'stopped' where id = t.host();
select is(t.stops('2099-01-07 20:00'), 'goes on', 'one that is to stop is others'' affair');
update ccp.hosts set desired = 'running' where id = t.host();
select is(host.stop_idle(null, 1), t.host(), 'a full batch tells where the next one begins');
select is(host.stop_idle(t.host(), 1), null, 'which has none left');

-- With idle_means no_session nobody is warned, and nothing written of what moves.
select t.begin('2099-01-08 10:00');
select t.come('2099-01-08 10:00');
select t.at('2099-01-08 20:00');
select is(t.check(0), '', 'a session is told nothing');
select is((select traffic_at from ccp.sessions where ended_at is null), null, 'when it moved is not written');

-- With no_traffic a silent session is nobody.
select setting.put('idle_means', '"no_traffic"') is null as done \gset
select throws_ok($$select setting.put('idle_means', '"no_traffics"')$$, 'CP422', null, 'there is no third meaning');
select session.end(t.proxy(), id, 'closed', 0, 0) from ccp.sessions where ended_at is null;
select t.begin('2099-01-09 10:00');
select t.come('2099-01-09 10:00');
select t.at('2099-01-09 10:30');
select is(t.check(59), '', 'what moved a minute ago');
select is((select traffic_at from ccp.sessions where ended_at is null), timestamptz '2099-01-09 10:29:01', 'is written down');
select t.at('2099-01-09 10:30:00.5');
select is(t.check(0), '', 'within a minute');
select is((select traffic_at from ccp.sessions where ended_at is null), timestamptz '2099-01-09 10:29:01', 'only once');
select t.at('2099-01-09 10:30:01');
select t.check(0);
select is((select traffic_at from ccp.sessions where ended_at is null), timestamptz '2099-01-09 10:30:01', 'then again');
select is(t.stops('2099-01-09 11:30'), 'goes on', 'the host goes on while it is not silent for an hour');
select t.at('2099-01-09 11:25');
select is(t.check(3299), '', 'five minutes before the end and a little more nobody is warned');
select t.at('2099-01-09 11:25:01');
select is(
    t.check(3300), 'Nothing has happened here for a while: this host is stopped in 5 minutes, unless something does. | f', 'then they are'
);
select is(t.check(3300), '', 'once');
select is((select idle_warned_at from ccp.sessions where ended_at is null), clock.now(), 'as is written down');
select t.at('2099-01-09 11:28');
select is(t.check(10), '', 'somebody types');
select is((select idle_warned_at from ccp.sessions where ended_at is null), null, 'which takes the warning back');
select is(t.stops('2099-01-09 11:30:01'), 'goes on', 'and the stop');
select t.at('2099-01-09 12:22:50');
select matches(t.check(3300), '^Nothing has happened', 'later it is warned again');
select is(t.stops('2099-01-09 12:27:49'), 'goes on', 'and goes on for five minutes');
select is(t.stops('2099-01-09 12:27:50'), 'host.stop queued', 'then it is stopped');
select matches(
    t.check(3600), '^host_idle \| This host was stopped because nothing happened in it; .*\| t$', 'and its session hears why it ends'
);

-- Whose sessions.
select session.end(t.proxy(), id, 'closed', 0, 0) from ccp.sessions where ended_at is null;
select t.begin('2099-01-10 10:00');
select t.come('2099-01-10 10:00');
select t.come('2099-01-10 10:50');
select t.at('2099-01-10 11:00');
select is_empty(
    $$select * from session.check(t.proxy(), t.sessions(), (select array_agg(extract(epoch from clock.now() - created_at)::integer order by id)
    from ccp.sessions where ended_at is null))$$, 'while one moves nobody is warned'
);
select is(t.stops('2099-01-10 11:49'), 'goes on', 'and nothing stopped');
select is_empty($$select * from session.check(t.agent(), t.sessions(), array[99999, 99999]) where not ends$$, 'of others'' sessions a program hears nothing');
select t.at('2099-01-10 11:45');
savepoint unwanted;
update ccp.hosts set desired = 'stopped';
select is_empty($$select * from session.check(t.proxy(), t.sessions(), array[99999, 99999]) where not ends$$, 'nor of a host that is to stop anyway');
rollback to unwanted;
select is(
    (select count(*)::integer from session.check(t.proxy(), t.sessions(), array[99999, 99999]) where not ends), 2, 'each terminal is warned'
);
select is_empty($$select * from session.check(t.proxy(), '{}', '{}')$$, 'no sessions, no warnings');
select t.stops('2099-01-10 11:50') as stopped \gset
select is(:'stopped'::text, 'host.stop queued', 'the host is stopped when the last has been silent for long');
select is((select count(*)::integer from ccp.sessions where end_reason = 'host_idle' and ended_at is null), 2, 'and its sessions with it');

-- A host that nobody may stop now does not keep the others.
select t.work();
select session.end(t.proxy(), id, 'closed', 0, 0) from ccp.sessions where ended_at is null;
select t.begin('2099-01-11 10:00');
create function t.break() returns trigger language plpgsql as $$ begin raise 'broken'; end $$;
create trigger breaks before insert on ccp.task_rows for each row execute function t.break();
set local client_min_messages = error;
select is(t.stops('2099-01-11 11:00'), 'goes on', 'what fails for one host is a warning');
select is((select desired from ccp.hosts where id = t.host()), 'running', 'and leaves that host as it was');

select * from finish();
rollback;
