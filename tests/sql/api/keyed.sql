-- Requests with an Idempotency-Key that comes again, where what they ask for is over or was undone in between.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(23);

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

-- What was made and is gone, the request that made it does not find again.
create function t.made(p_noun text) returns text language plpgsql as $$
declare
    v_id text;
begin
    case p_noun
        when 'exit' then v_id := (api.egress_ip_create(
            t.login('boss'), 1, 'new', '203.0.113.9', '198.51.100.1:51820', repeat('C', 43) || '=', '198.51.100.53', '10.9.0.9/32',
            p_idempotency_key => 'exit', p_request_sha256 => t.sha()
        )).id;
        when 'user' then v_id := (api.user_create(
            t.login('boss'), 1, 'newcomer', '$2b$10$' || repeat('a', 53), p_idempotency_key => 'user', p_request_sha256 => t.sha()
        )).id;
        when 'webhook' then v_id := (api.webhook_create(
            t.login('boss'), 1, 'hook', 'https://hooks.example/', repeat('A', 132), p_idempotency_key => 'hook', p_request_sha256 => t.sha()
        )).id;
        when 'key' then v_id := (api.own_ssh_key_create(
            t.login('alice'), 1, 'ssh-ed25519 ' || encode('key', 'base64'), p_idempotency_key => 'key', p_request_sha256 => t.sha()
        )).id;
    end case;
    return v_id;
end
$$;
create temporary table made as
select n.noun, t.made(n.noun) as id from unnest(array['exit', 'user', 'webhook', 'key']) as n (noun);
select is(t.made(m.noun), m.id, format('the same request again finds the %s', m.noun)) from made as m;
select api.egress_ip_delete(t.login('boss'), 1, id::uuid) from made where noun = 'exit';
select api.user_delete(t.login('boss'), 1, id::uuid) from made where noun = 'user';
select api.webhook_delete(t.login('boss'), 1, id::uuid) from made where noun = 'webhook';
select api.own_ssh_key_delete(t.login('alice'), 1, id::uuid) from made where noun = 'key';
select is((api.user_get(t.login('boss'), 1, id::uuid)).status, 'deleting', 'a user goes in steps') from made where noun = 'user';
select account.delete_step(id::uuid, false) from made where noun = 'user';
select throws_ok(format('select t.made(%L)', m.noun), 'CP404', null, format('the %s is gone', m.noun)) from made as m;

select * from finish();
rollback;
