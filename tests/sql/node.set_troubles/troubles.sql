-- What an agent finds wrong with its machine.
begin;
\ir ../hosts.psql
select plan(17);

create function t.say(p_troubles jsonb) returns void language sql as $$ select node.set_troubles(t.agent(), p_troubles) $$;
create function t.events() returns text[] language sql as $$
    select coalesce(array_agg(level || ' ' || type || ': ' || message order by id), '{}')
    from ccp.events where type like 'node.trouble%'
$$;
create function t.doctor() returns text language sql as $$
    select case when ok then 'ok: ' else 'not ok: ' end || why from ccp.doctor where name = 'machines'
$$;

select t.at(now());
select is(t.doctor(), 'ok: no agent has found anything on its machine that is not as it should be', 'nothing is wrong');
select lives_ok($$select t.say('{}')$$, 'which an agent may say');
select is(t.events(), '{}', 'without an event');
select t.say('{"disk": "is full", "cgroups": "are missing"}');
select is(
    t.events(), array['warning node.trouble: cgroups on node1: are missing', 'warning node.trouble: disk on node1: is full'],
    'each trouble is an event when it begins'
);
select t.at(now() + interval '1 minute');
select t.say('{"disk": "is full", "cgroups": "are missing"}');
select is(cardinality(t.events()), 2, 'and not again while it lasts');
select is(
    t.doctor(), 'not ok: cgroups on node1 for 60 s: are missing; disk on node1 for 60 s: is full', 'the doctor says since when'
);
select t.say('{"disk": "is still full"}');
select is(
    (t.events())[3], 'info node.trouble.over: cgroups on node1 is as it should be again, after 60 s', 'one that is over is an event'
);
select is(cardinality(t.events()), 3, 'another sentence for the same is none');
select is(t.doctor(), 'not ok: disk on node1 for 60 s: is still full', 'but is what the doctor says');
select is((select since from ccp.node_troubles), now(), 'since the same time');

create temporary table other as select (process.register('ccp-agent', 'node2', 3, 'test')).*;
select node.set_troubles((select process_id from other), '{"disk": "is full there"}');
select is(
    (select array_agg(n.name || ' ' || t.message order by n.name) from ccp.node_troubles as t join ccp.nodes as n on n.id = t.node_id),
    array['node1 is still full', 'node2 is full there'], 'an agent speaks for its own machine'
);
select node.set_troubles((select process_id from other), null);
select t.say(jsonb_build_object('disk', repeat('x', 3000)));
select is((select length(message) from ccp.node_troubles), 2000, 'a sentence may be too long');
select is((select count(*) from ccp.node_troubles), 1::bigint, 'nothing at all means that nothing is wrong');
select throws_ok($$select node.set_troubles(0, '{}')$$, 'CP401', null, 'nobody but a live agent');
set session authorization ccp_worker;
select throws_ok($$select node.set_troubles(1, '{}')$$, '42501', null, 'only agents say so');
reset session authorization;
select t.worker() as worker \gset
set session authorization ccp_agent;
select throws_ok(
    format('select node.set_troubles(%s, ''{}'')', :worker), 'CP403', null, 'and for no process of another program'
);
reset session authorization;
select lives_ok($$select t.say('{"a": "1"}'), t.say('{}')$$, 'twice in one transaction');

select * from finish();
rollback;
