-- A drained node keeps its hosts stopped, whatever their owners desire, and starts them when that ends.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(41);

select id as node1 from ccp.nodes where name = 'node1' \gset
create function t.node() returns bigint language sql as $$ select id from ccp.nodes where name = 'node1' $$;
create function t.mine() returns text language sql as $$
    select string_agg(kind || ' ' || status, ', ') from ccp.task_rows where host_id = t.host() and status in ('queued', 'running')
$$;
create function t.wants() returns text language sql as $$
    select concat_ws(' | ', h.desired, w.wanted, w.why, host.spec(h.id) ->> 'wanted')
    from ccp.host_wants as w join ccp.hosts as h on h.id = w.host_id where h.id = t.host()
$$;
create function t.why() returns text language sql as $$ select why from ccp.host_status where host = 'abcdef' $$;
create function t.doctor() returns text language sql as $$
    select case when ok then 'ok: ' else 'not ok: ' end || why from ccp.doctor where name = 'drained'
$$;
create function t.events() returns text language sql as $$
    select coalesce(string_agg(type || ': ' || message, '; ' order by id), '') from ccp.events where type like 'admin.node.%'
$$;
create function t.tick() returns void language sql as $$ select clock.tick('worker') $$;

select t.at(now());
select t.run();
select is(t.doctor(), 'ok: no node is drained', 'at first no node is drained');
select is(t.wants(), 'running | running | alice desires it running | running', 'and a host that is desired runs');

-- The drain.
select lives_ok($$select node.drain(t.node())$$, 'a node is drained');
select is(t.events(), 'admin.node.cordoned: node node1 takes no new hosts; admin.node.drained: node node1 runs no hosts', 'which is cordoned with it');
select is(
    (select row(drained_at, cordoned_at) from ccp.nodes where id = t.node()), row(clock.now(), clock.now()), 'both since now'
);
select node.drain(t.node()) is null as again \gset
select is(
    t.events(), 'admin.node.cordoned: node node1 takes no new hosts; admin.node.drained: node node1 runs no hosts', 'the same again is no change'
);
select is(t.wants(), 'running | stopped | alice desires it running, but its node is drained | stopped', 'its hosts are wanted stopped');
select is(
    t.doctor(), 'not ok: drained: node1, where hosts that are desired running are kept stopped (1) until the drain ends',
    'the doctor tells'
);
select is(host.spec(t.host()) ->> 'refusal', 'node1 is drained: its hosts run again when an administrator ends that', 'its agent starts none');
select t.tick();
select is(t.mine(), 'host.stop queued', 'the tick stops it');
select is(
    t.last_event(),
    'warning | host.stop.drained | host abcdef is stopped: node1 is drained | alice | abcdef | host.stop', 'which is an event'
);
select t.tick();
select is((select count(*)::integer from ccp.events where type = 'host.stop.drained'), 1, 'once');
select t.work();
select t.tick();
select is(t.mine(), null, 'it stays stopped');
select is(t.status(), 'stopped', 'as its status says');
select matches(t.why(), 'node1 is drained: it is kept stopped until that ends', 'and people read why');

-- What its owner may do meanwhile.
select throws_ok(
    $$select t.ask('host.start')$$, 'CP409', 'node1 is drained: its hosts run again when an administrator ends that', 'a start is refused'
);
select is(
    (select e.statuses from ccp.error_codes as e where e.code = 'node_drained'), array[409], 'by a code of its own'
);
select lives_ok($$select t.ask('host.rebuild')$$, 'a rebuild is not');
select t.work();
select is(t.status(), 'stopped', 'after which it is stopped, too');
select t.tick();
select is(t.mine(), null, 'and stays so');

-- The end of it.
select lives_ok($$select node.drain(t.node(), false)$$, 'the drain ends');
select matches(t.events(), '; admin.node.undrained: node node1 runs hosts again$', 'which is written down');
select is((select cordoned_at from ccp.nodes where id = t.node()), clock.now(), 'the node stays cordoned');
select throws_ok($$select node.pick()$$, 'CP409', null, 'and takes no new hosts');
select is(t.doctor(), 'ok: no node is drained', 'the doctor is content');
select t.tick();
select is(t.mine(), 'host.start queued', 'the host is started again');
select t.work();
select is(t.status(), 'running', 'by itself');
select matches(t.why(), '^((?!drained).)*$', 'and nobody reads of it');

-- A start that is under way.
select t.ask('host.stop');
select t.work();
select t.ask('host.start');
select t.claim();
select node.drain(t.node());
select t.tick();
select is(t.mine(), 'host.start running', 'goes on');
select t.succeed();
select t.tick();
select is(t.mine(), 'host.stop queued', 'and what it started is stopped');
select t.work();

-- A host that is to be stopped stays so.
select t.ask('host.stop');
select t.work();
select is(t.doctor(), 'ok: drained: node1, where no host is desired running', 'a drained node where nothing is to run is no trouble');
select matches(t.why(), '^((?!drained).)*$', 'a host that is not to run is not kept from it');

-- Uncordoning ends it, too.
select node.cordon(t.node(), false);
select is((select row(drained_at, cordoned_at) from ccp.nodes where id = t.node()), row(null::timestamptz, null::timestamptz), 'an uncordoned node is not drained');
select matches(
    t.events(), '; admin.node.undrained: node node1 runs hosts again; admin.node.uncordoned: node node1 takes new hosts again$',
    'and both are written down'
);
select t.tick();
select is(t.mine(), null, 'what is desired stopped stays stopped');

-- Other nodes are others; a host without an observation counts like each.
insert into ccp.nodes (name) values ('node2');
select node.drain(id) from ccp.nodes where name = 'node2' \gset
select is(t.wants(), 'stopped | stopped | alice desires it stopped | stopped', 'another node''s drain');
select lives_ok($$select t.run()$$, 'keeps no host here from running');
delete from ccp.observations;
select node.drain(t.node());
select is(host.make_room(null, 1), t.host(), 'a host that no agent has seen is stopped');
select is(t.mine(), 'host.stop queued', 'like any');

-- Who may.
select throws_ok($$select node.drain(999)$$, 'CP404', 'There is no such node.', 'there must be such a node');
select throws_ok(
    $$update ccp.nodes set cordoned_at = null$$, '23514', null, 'no node is drained and takes new hosts'
);

select * from finish();
rollback;
