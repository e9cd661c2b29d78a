-- Each host has a range of user ids on its node that no other host has there.
begin;
\ir ../hosts.psql
select plan(27);

create function t.order(p_short_id text, p_node text default 'node1') returns integer language sql as $$
    insert into ccp.hosts (short_id, user_id, node_id, image, status)
    select p_short_id, u.id, n.id, 'image', 'stopped'
    from ccp.users as u, ccp.nodes as n
    where u.username = 'alice' and n.name = p_node
    returning slot
$$;
create function t.slot(p_short_id text) returns integer language sql as $$
    select slot from ccp.hosts where short_id = p_short_id
$$;
create function t.delete(p_short_id text) returns void language plpgsql as $$
begin
    perform task.enqueue('host.delete', (select id from ccp.hosts where short_id = p_short_id), '{}', null);
end
$$;
create function t.end_delete(p_how text) returns void language plpgsql as $$
declare
    v_task ccp.task_rows;
begin
    v_task := t.claim();
    case p_how
        when 'succeed' then perform task.succeed(v_task.id, v_task.lease, '{}');
        else perform task.fail(v_task.id, v_task.lease, 'docker_failed', 'no', false);
    end case;
end
$$;

select is(t.slot('abcdef'), 0, 'the first host of a node has the first slot');
select is(t.order('second'), 1, 'the next the next');
select is(t.order('third1'), 2, 'and so on');
select process.register('ccp-agent', 'node2', 3, 'test') is not null as done \gset
select is(t.order('other1', 'node2'), 0, 'another node counts for itself');
select throws_ok(
    $$update ccp.hosts set slot = 1 where short_id = 'third1'$$, '23505', null, 'two hosts of a node never have the same'
);

-- Given back when nothing of the host is left.
select t.delete('third1');
select is(t.order('fourth'), 3, 'a host that is being deleted keeps its slot');
select t.end_delete('fail');
select is(t.order('fifth1'), 4, 'so does one whose deletion has failed');
select t.delete('third1');
select t.end_delete('succeed');
select is((select status from ccp.hosts where short_id = 'third1'), 'deleted', 'a deleted host');
select is(t.order('sixth1'), 5, 'has given its own back, which is not taken while there are new ones');
update ccp.hosts set slot = 28669 where short_id = 'sixth1';
select is(t.order('sevent'), 2, 'only then, the lowest first');
select t.delete('second');
select is(t.order('eighth'), 5, 'and of those that are free');
select throws_ok(
    $$update ccp.hosts set slot = 28670 where short_id = 'sixth1'$$, '23514', null, 'there is no slot beyond the last'
);

-- Ids.
select is(host.ids(0), '{"base": 2147287040, "owner": 2147418112, "engine": 2147446782}', 'the first slot has the highest range');
select is(host.ids(28669), '{"base": 268435456, "owner": 2147446781, "engine": 2147475451}', 'the last the lowest');
select is(
    (
        select count(*)
        from generate_series(0, 28668) as s
        where (host.ids(s) ->> 'base')::bigint <> (host.ids(s + 1) ->> 'base')::bigint + 65536
            or (host.ids(s) ->> 'owner')::bigint <> (host.ids(s + 1) ->> 'owner')::bigint - 1
            or (host.ids(s) ->> 'engine')::bigint <> (host.ids(s + 1) ->> 'engine')::bigint - 1
    ),
    0::bigint, 'no two slots have an id in common'
);
select is(
    array(
        select host.ids_are_taken(0, t.taken)
        from (
            values ('{[2147287039,2147287040)}'::int8multirange), ('{[2147287040,2147287041)}'), ('{[2147352575,2147352576)}'),
                ('{[2147352576,2147418112)}'), ('{[2147418112,2147418113)}'), ('{[2147418113,2147418114)}'),
                ('{[2147446782,2147446783)}'), ('{[2147446783,2147446784)}'), ('{}')
        ) as t (taken)
    ),
    '{f,t,t,f,t,f,t,f,f}'::boolean[], 'a slot is taken from its first id to its last, with its owner, and with its engine'
);

-- What somebody else has on the machine.
update ccp.nodes set taken_ids = '{[2147418113,2147418115)}' where name = 'node2';
select is(t.order('other2', 'node2'), 3, 'a slot whose owner is an account there is left out');
update ccp.nodes set taken_ids = '{[2147000000,2147100000)}' where name = 'node2';
select is(
    (select host.ids_are_taken(t.order('other4', 'node2'), taken_ids) from ccp.nodes where name = 'node2'), false,
    'nor is one given whose range begins or ends in what is taken'
);
update ccp.nodes set taken_ids = '{[1000,2147483648)}' where name = 'node2';
select throws_ok(
    $$select t.order('other5', 'node2')$$, 'CP409', 'Node node2 has no user ids left for another host.', 'without any the node is full'
);
update ccp.nodes set taken_ids = '{}' where name = 'node2';
update ccp.hosts set slot = 28669 where short_id = 'other1';
select is(t.order('other6', 'node2'), 0, 'the lowest of all is free again');

-- Many in one statement.
create function t.order_many(p_prefix text, p_count integer) returns integer[] language sql as $$
    with made as (
        insert into ccp.hosts (short_id, user_id, node_id, image, status)
        select p_prefix || to_char(s, 'FM00000'), u.id, n.id, 'image', 'stopped'
        from generate_series(1, p_count) as s, ccp.users as u, ccp.nodes as n
        where u.username = 'alice' and n.name = 'node3'
        returning slot
    )
    select array[min(slot), max(slot), count(distinct slot)::integer] from made
$$;
-- Rows of hosts that this transaction has read.
create function t.read() returns bigint language sql as $$
    select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relid = 'ccp.hosts'::regclass
$$;
select process.register('ccp-agent', 'node3', 4, 'test') is not null as done \gset
select t.read() as before \gset
select is(t.order_many('many', 500), '{0,499,500}', 'hosts of one statement get one slot after the other');
select cmp_ok(t.read() - :before, '<', 500::bigint * 10, 'and none is found by reading all the others');
update ccp.hosts set slot = 28669 where short_id = 'many00500';
update ccp.hosts set slot = 28000 where short_id in ('many00011');
select t.read() as before \gset
select is(t.order_many('more', 500), '{10,997,500}', 'also when the highest is taken: what is free again, the lowest first');
select cmp_ok(t.read() - :before, '<', 500::bigint * 10, 'for which no slot is looked at twice');
update ccp.hosts set slot = 28001 where short_id = 'many00012';
select is(t.order_many('last', 1), '{998,998,1}', 'what was given back meanwhile waits');
update ccp.nodes set taken_ids = int8multirange(int8range(0, (host.ids(998) ->> 'base')::bigint)) where name = 'node3';
select is(t.order_many('next', 1), '{11,11,1}', 'until there is nothing above');
select throws_ok($$select t.order_many('full', 1)$$, 'CP409', 'Node node3 has no user ids left for another host.', 'then the node is full');

select * from finish();
rollback;
