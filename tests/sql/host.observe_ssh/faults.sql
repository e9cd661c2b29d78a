-- What keeps people out of a host whose exit is proven: who says so, since when, and what people read.
begin;
\ir ../hosts.psql
select plan(35);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.say(p_message text) returns text language sql as $$
    select host.observe_ssh(t.agent(), t.host(), p_message, clock.now())
$$;
create function t.events() returns text[] language sql as $$
    select coalesce(array_agg(level || ' ' || message order by id), '{}') from ccp.events where type like 'host.ssh.%'
$$;
create function t.why() returns text language sql as $$ select why from ccp.host_status where host = 'abcdef' $$;
create function t.doctor() returns text language sql as $$
    select case when ok then 'ok: ' else 'not ok: ' end || why from ccp.doctor where name = 'ssh'
$$;
create function t.api() returns text language sql as $$
    select concat_ws(' ', clock.now() - ssh_silent_since, ssh_silent_message) from api.host where short_id = 'abcdef'
$$;
-- A session that ends for this reason after so many bytes to the user.
create function t.session(p_reason text, p_bytes bigint) returns void language plpgsql as $$
declare
    v_proxy bigint := (select id from ccp.processes where program = 'ccp-sshproxy');
    v_id uuid;
begin
    insert into ccp.sessions (user_id, host_id, process_id, method, address)
    select h.user_id, h.id, v_proxy, 'key', '127.0.0.1'
    from ccp.hosts as h
    where h.short_id = 'abcdef'
    returning id into v_id;
    perform session.end(v_proxy, v_id, p_reason, 0, p_bytes);
end
$$;

select t.at(now());
select is(t.say('refused'), 'not_running', 'a host that is not meant to run need not answer');
select is(t.say(null), 'ok', 'but may');
select is((select count(*) from ccp.ssh_faults), 0::bigint, 'of which nothing is kept');
select t.run();
select is(t.say(null), 'ok', 'a host that runs answers');
select is(t.events(), '{}', 'which is no event');
select is(t.doctor(), 'ok: as far as is known, each running host can be entered', 'the doctor is content');
select is(t.api(), '', 'and the API');

select t.at(now() + interval '10 seconds');
select is(t.say('connection refused'), 'ok', 'it does not answer');
select t.at(now() + interval '40 seconds');
select t.say('connection refused; last said inside: x') is null as done \gset
select is(t.events(), array['warning ssh of host abcdef does not answer: connection refused'], 'which is one event, not two');
select matches(
    t.why(),
    'runs; no proof of its exit is known yet; but nobody can come in by ssh: for 30 s connection refused; last said inside: x; if that lasts, '
    'rebuild it with mode keep',
    'people read why, since when and what helps, and that the exit is proven as before'
);
select is(t.status(), 'running', 'its status stays');
select is(
    (t.ask('host.start')).message,
    'nothing to do: the host is running; but nobody can come in by ssh: for 30 s connection refused; last said inside: x; if that lasts, '
    'rebuild it with mode keep (its user may)',
    'who asks for a start is told'
);
select is(t.doctor(), 'not ok: nobody can come in to these by ssh, ccp.host_status tells why: abcdef', 'the doctor names it');
select is(t.api(), '00:00:30 connection refused; last said inside: x', 'the API says it too');
set local role ccp_as_user;
select set_config('ccp.user_id', gen_random_uuid()::text, true) is null as done \gset
select is((select count(*) from ccp.ssh_faults), 0::bigint, 'not to other users');
select is((select count(*) from api.host), 0::bigint, 'as little as the host');
reset role;
select t.at(now() + interval '60 seconds');
select t.say(null) is null as done \gset
select is((t.events())[2], 'info ssh of host abcdef answers again, after 50 s', 'it is back');
select is(t.doctor() || t.api(), 'ok: as far as is known, each running host can be entered', 'and all is well');

-- The proxy is refused by the container.
select t.session('host_refused', 0);
select is(t.api(), '00:00:00 its sshd refused the login as dev', 'a login that the container refused');
select t.say(null) is null as done \gset
select is(t.api(), '00:00:00 its sshd refused the login as dev', 'is not mended by a banner');
select t.session('closed', 0);
select is(t.api(), '00:00:00 its sshd refused the login as dev', 'nor by a client that comes and goes');
select t.say('no banner') is null as done \gset
select matches(t.why(), 'for 0 s (no banner; its sshd refused the login as dev|its sshd refused the login as dev; no banner); if that lasts', 'there may be two reasons');
select t.session('closed', 1);
select is(t.api(), '00:00:00 no banner', 'somebody who got in ends the one');
select is(cardinality(t.events()), 5, 'each begin and each end is an event');

-- Another run: what was seen before says nothing of it.
select t.ask('host.stop') is null as done \gset
select t.work();
select is(t.doctor() || t.api(), 'ok: as far as is known, each running host can be entered', 'a stopped host has no faults');
select t.at(now() + interval '70 seconds');
select t.run();
select is(t.doctor() || t.api(), 'ok: as far as is known, each running host can be entered', 'nor has one that was started since');
select t.say('still') is null as done \gset
select is(t.api(), '00:00:00 still', 'a fault of this run begins with it');
select is(cardinality(t.events()), 6, 'and is an event of its own');
select t.ask('host.stop') is null as done \gset
select t.work();
select t.at(now() + interval '80 seconds');
select t.run();
insert into ccp.hosts (short_id, user_id, node_id, image, status)
select 'second', h.user_id, h.node_id, h.image, 'stopped'
from ccp.hosts as h
where h.short_id = 'abcdef';
insert into ccp.ssh_faults (host_id, what, user_id, since, message)
select h.id, 'port', h.user_id, clock.now(), 'another host''s'
from ccp.hosts as h
where h.short_id = 'second';
select t.say(null) is null as done \gset
select is(cardinality(t.events()), 6, 'of one that was started since nobody says that it is back');
select is((select string_agg(message, ', ') from ccp.ssh_faults where what = 'port'), 'another host''s', 'nor does it speak for others');
select host.observe_ssh(t.agent(), t.host(), 'late', now() + interval '5 seconds') is null as done \gset
select is(
    (select since from ccp.ssh_faults where what = 'port' and host_id = t.host()), (select status_changed_at from ccp.hosts where short_id = 'abcdef'),
    'a report that comes late is not older than the run'
);
select is(
    host.observe_ssh(t.agent(), gen_random_uuid(), null, clock.now()), 'gone', 'a host that is not there is gone'
);
create temporary table other as select (process.register('ccp-agent', 'node2', 4, 'test')).*;
select is(
    host.observe_ssh((select process_id from other), t.host(), 'x', clock.now()), 'not_yours', 'another node''s agent says nothing of it'
);
select throws_ok($$select host.observe_ssh(0, t.host(), 'x', clock.now())$$, 'CP401', null, 'nor does a process that is not registered');
set session authorization ccp_worker;
select throws_ok($$select host.observe_ssh(1, gen_random_uuid(), 'x', now())$$, '42501', null, 'only agents do');
reset session authorization;

select * from finish();
rollback;
