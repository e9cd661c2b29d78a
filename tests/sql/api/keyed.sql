-- Requests with an Idempotency-Key that comes again, where what they ask for is over or was undone in between.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(14);

create function t.sha() returns ccp.sha256 language sql as $$ select repeat('a', 64) $$;
create function t.node() returns ccp.node_id language sql security definer as $$ select id from ccp.nodes $$;
create function t.keys() returns text language sql security definer as $$
    select string_agg(concat_ws(' ', key, split_part(route, ' ', 1), status, ids), ', ' order by key) from ccp.idempotency_keys
$$;
create function t.is_cordoned(p_node api.node) returns boolean language sql as $$ select p_node.cordoned_at is not null $$;

-- Nodes.
select ok(t.is_cordoned(api.node_act(t.login('boss'), 1, t.node(), 'node.cordon', 'k1', t.sha())), 'a node is cordoned');
select ok(not t.is_cordoned(api.node_act(t.login('boss'), 1, t.node(), 'node.uncordon', 'k2', t.sha())), 'and open again');
select ok(not t.is_cordoned(api.node_act(t.login('boss'), 1, t.node(), 'node.cordon', 'k1', t.sha())), 'the first request again changes nothing');
select ok(t.is_cordoned(api.node_act(t.login('boss'), 1, t.node(), 'node.cordon')), 'one without a key does');
select ok(t.is_cordoned(api.node_act(t.login('boss'), 1, t.node(), 'node.uncordon', 'k2', t.sha())), 'the second again changes nothing either');
select throws_ok($$select api.node_act(t.login('boss'), 1, t.node(), 'node.uncordon', 'k1', t.sha())$$, 'CP409', null, 'a key is for one route');
select throws_ok($$select api.node_act(t.login('bobby'), 1, t.node(), 'node.cordon', 'k3', t.sha())$$, 'CP403', null, 'users cordon nothing');
select throws_ok($$select api.node_act(t.login('bobby'), 1, t.node(), 'node.uncordon', 'k3', t.sha())$$, 'CP403', null, 'and open nothing');

-- Tasks.
select t.ask('host.start');
create temporary table asked as select id from ccp.task_rows;
select is((api.task_cancel(t.login('boss'), 1, id, 'k4', t.sha())).status, 'canceled', 'a task is canceled') from asked;
select is((api.task_cancel(t.login('boss'), 1, id, 'k4', t.sha())).status, 'canceled', 'the same again is the same') from asked;
select t.ask('host.start');
select t.work();
select is((api.task_cancel(t.login('boss'), 1, (select id from asked), 'k5', t.sha())).status, 'canceled', 'one that has ended so is as asked');
select throws_ok(
    $$select api.task_cancel(t.login('boss'), 1, id, 'k6', t.sha()) from ccp.task_rows where status = 'succeeded'$$, 'CP409', null,
    'one that has succeeded is not'
);
select is(
    t.keys(), 'k1 node.cordon 200 {}, k2 node.uncordon 200 {}, k4 cancel 200 {}, k5 cancel 200 {}', 'what was done is kept by its key, what was refused is not'
);
select is((select count(*)::integer from ccp.events where type = 'admin.task.canceled'), 1, 'and done once');

select * from finish();
rollback;
