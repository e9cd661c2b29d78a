-- An exit is changed while its host runs: the host is moved to what it is now, and again when that failed.
begin;
\ir ../hosts.psql
select plan(16);

create function t.exit() returns uuid language sql as $$ select id from ccp.egress_ips where label = 'exit1' $$;
create function t.outdated() returns boolean language sql as $$ select outdated from ccp.bindings where ended_at is null $$;
create function t.last() returns text language sql as $$
    select kind || ' ' || status || ' ' || created_by from ccp.task_rows order by created_at desc, id limit 1
$$;
set local test.now = '2099-01-01 00:00:00';
select egress.edit(t.exit(), '{"wg_mtu": 1400}') \g /dev/null
select is(t.outdated(), false, 'while it is stopped there is nothing to move');
select t.run();
select egress.edit(t.exit(), '{"provider": "other"}') \g /dev/null
select is(t.outdated(), false, 'nor for what no tunnel is made of');
set local test.now = '2099-01-01 00:00:01';
select egress.edit(t.exit(), '{"wg_endpoint": "198.51.100.9:51820"}') \g /dev/null
select is(t.outdated(), true, 'a running host was proven with what it was');
select is(t.last(), 'host.switch queued reconcile', 'and is moved');
select is(
    (select message from ccp.events where type = 'host.switch.asked'), 'host abcdef is moved to what exit exit1 is now',
    'which the audit log tells'
);
select is((select count(*)::integer from ccp.exit_peers), 1, 'its key is to be known at one exit');
select throws_ok(
    $$ select egress.edit(t.exit(), '{"wg_mtu": 1300}') $$, 'CP409',
    'Exit exit1 carries host abcdef, of which a task is under way: change it when that has ended.', 'meanwhile nothing changes'
);
create temporary table c as select * from t.claim();
select is(
    task.fail(id, lease, 'tunnel_no_handshake', 'nobody answers', false, 'running', 1), 'failed', 'it fails and goes back'
) from c;
select is(t.status(), 'running', 'the host runs with what the exit was');
select host.follow_exits() \g /dev/null
select is(t.last(), 'host.switch failed reconcile', 'it waits');
set local test.now = '2099-01-01 00:00:10';
select host.follow_exits() \g /dev/null
select is(t.last(), 'host.switch queued reconcile', 'and is moved again');
set local test.now = '2099-01-01 00:00:11';
select host.follow_exits() \g /dev/null
select is((select count(*)::integer from ccp.task_rows where kind = 'host.switch'), 2, 'once');
select t.work();
select is(t.status(), 'running', 'this time it succeeds');
select is(t.outdated(), false, 'and the host is proven with what the exit is');
select is((select count(*)::integer from ccp.bindings), 1, 'by the same binding');
select t.ask('host.verify') \g /dev/null
update ccp.bindings set outdated = true;
select t.work();
select is(t.outdated(), true, 'a verification proves what was there before');

select * from finish();
rollback;
