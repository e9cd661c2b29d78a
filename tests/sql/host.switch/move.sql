-- A running host is moved to another exit: reserved while it is under way, bound when it is proven.
begin;
\ir ../hosts.psql
select plan(37);

insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address, status)
select
    'exit' || n, ('198.51.100.' || n)::inet, '198.51.100.1:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.3/32',
    case n when 4 then 'disabled' else 'active' end
from generate_series(2, 4) as n;
insert into ccp.hosts (short_id, user_id, node_id, image) select 'ghijkl', user_id, node_id, image from ccp.hosts;
create function t.exit(p_label text) returns uuid language sql as $$ select id from ccp.egress_ips where label = p_label $$;
create function t.bound() returns text language sql as $$
    select exit_label from ccp.bindings where host_id = t.host() and ended_at is null
$$;
create function t.move(p_label text) returns ccp.task_rows language sql as $$
    select * from task.enqueue('host.switch', t.host(), jsonb_build_object('egress_ip_id', t.exit(p_label)), null)
$$;
create function t.ends(p_how text, p_left text) returns text language sql as $$
    select case p_how
        when 'succeeded' then task.succeed(id, lease, '{}', p_left, 100 + (select count(*) from ccp.task_rows))
        else task.fail(id, lease, 'exit_mismatch', 'left as 203.0.113.9', false, p_left, 100 + (select count(*) from ccp.task_rows))
    end
    from ccp.task_rows where status = 'running' and host_id = t.host()
$$;

select throws_ok($$ select t.move('exit2') $$, 'CP409', null, 'a stopped host is not moved by a task');
select t.run();
select throws_ok(
    $$ select task.enqueue('host.switch', t.host(), '{}', null) $$, 'CP422', 'host.switch needs the id of an exit',
    'without an exit it is refused'
);
select throws_ok(
    $$ select task.enqueue('host.switch', t.host(), jsonb_build_object('egress_ip_id', t.host()), null) $$,
    'CP422', 'host.switch needs the id of an exit', 'and with one that is not there'
);
select throws_ok($$ select t.move('exit4') $$, 'CP409', 'Exit exit4 is disabled.', 'and with one that is disabled');

select is((t.move('exit2')).status, 'queued', 'to another exit it is moved');
select is(t.status(), 'switching', 'which its status says');
select is(t.bound(), 'exit1', 'it keeps its exit until the other is proven');
select is(
    (select message from ccp.events where type = 'host.switch.asked'), 'host abcdef is moved from exit exit1 to exit exit2',
    'the audit log tells from where to where'
);
select bag_eq(
    $$ select e.label::text from ccp.exit_peers as p join ccp.egress_ips as e on e.id = p.egress_ip_id $$,
    array['exit1', 'exit2'], 'its key is to be known at both'
);
select throws_ok(
    $$ select egress.remove(t.exit('exit2')) $$, 'CP409', 'Exit exit2 is bound to host abcdef: unbind it first.',
    'an exit that it is moved to is not deleted'
);
select throws_ok(
    $$ select egress.edit(t.exit('exit2'), '{"wg_mtu": 1400}') $$, 'CP409',
    'Exit exit2 carries host abcdef, of which a task is under way: change it when that has ended.', 'nor changed'
);
select lives_ok($$ select egress.edit(t.exit('exit2'), '{"provider": "other"}') $$, 'but what no tunnel is made of may');
select is((t.move('exit2')).status, 'queued', 'the same request again is the same task');
select throws_ok($$ select t.move('exit3') $$, 'CP409', null, 'another is refused meanwhile');
select throws_ok(
    format($$ select host.bind(%L, t.exit('exit2')) $$, o.id), 'CP409', 'Exit exit2 is bound to another host.',
    'and no other host gets that exit'
)
from ccp.hosts as o where o.short_id = 'ghijkl';
select is((t.claim()).kind, 'host.switch', 'an agent claims it');
select is(
    host.spec(t.host()) -> 'switch_to' ->> 'label', 'exit2', 'and is told where to'
);
select is(host.spec(t.host()) -> 'exit' ->> 'label', 'exit1', 'and from where');
select is(host.spec(t.host()) ->> 'switch_fallback', 'back', 'and what to do when that fails');
select verification.record(
    t.agent(), t.host(), id, 'full', 'passed', null, '198.51.100.2', '[]', 10, clock.now()
) from ccp.task_rows where kind = 'host.switch' \g /dev/null
select is((select exit_label from ccp.verifications), 'exit2', 'what it proves is the other exit');
select is(t.ends('succeeded', 'running'), 'ok', 'it is done');
select is(t.status() || ' ' || t.bound(), 'running exit2', 'the host runs with the other exit');
select is((select count(*)::integer from ccp.bindings where ended_at is not null), 1, 'the binding of before is history');
select is(
    (select message from ccp.events where type = 'host.switched'), 'host abcdef leaves through exit exit2', 'which is told'
);
select is(host.spec(t.host()) ->> 'switch_to', null, 'and is over');

select t.move('exit3') \g /dev/null
select t.claim() \g /dev/null
select t.ends('failed', 'running') \g /dev/null
select is(t.status() || ' ' || t.bound(), 'running exit2', 'one that failed and went back runs with what it had');
select lives_ok($$ select egress.remove(t.exit('exit3')) $$, 'and the exit is free again');
select t.move('exit1') \g /dev/null
select t.claim() \g /dev/null
select t.ends('failed', 'stopped') \g /dev/null
select is(t.status() || ' ' || t.bound(), 'unavailable exit2', 'one that could not is closed, with the exit it had');
select is((host.switch(t.host(), t.exit('exit1'))).status, 'succeeded', 'one that is closed has another exit at once');
select is(t.bound(), 'exit1', 'which it is bound to');
select is(t.status(), 'starting', 'and is started with it without waiting');
select t.work();
select host.switch(t.host(), t.exit('exit2')) \g /dev/null
select t.claim() \g /dev/null
select t.ends('succeeded', 'running') \g /dev/null

select t.move('exit1') \g /dev/null
select (t.ask('host.stop')).status \g /dev/null
select is(t.status(), 'stopping', 'a stop supersedes it');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.switch' and status = 'canceled'), 1, 'at once');
select t.work();
select is((host.switch(t.host(), t.exit('exit1'))).status, 'succeeded', 'a stopped host has another exit at once');
select is(t.status() || ' ' || t.bound(), 'stopped exit1', 'and stays stopped');
select lives_ok($$ select (host.switch(t.host(), t.exit('exit1'))).id $$, 'also the one it has');
select is((select count(*)::integer from ccp.bindings where host_id = t.host() and ended_at is null), 1, 'which stays the only one');

select * from finish();
rollback;
