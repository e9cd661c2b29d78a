-- A cordoned node takes no new hosts.
begin;
\ir ../hosts.psql
select plan(10);

select process.register('ccp-agent', 'node2', 4, 'test') is not null as done \gset
select id as node2 from ccp.nodes where name = 'node2' \gset
select is(node.pick(), :node2::bigint, 'the emptier node is chosen');
select lives_ok(format('select node.cordon(%s)', :node2), 'it is cordoned');
select isnt(node.pick(), :node2::bigint, 'then new hosts go elsewhere');
select is((select cordoned_at from ccp.nodes where id = :node2), clock.now(), 'since when is known');
select node.cordon(:node2) is null as again \gset
select results_eq(
    $$select type::text, message from ccp.events where type like 'admin.node.%'$$,
    $$values ('admin.node.cordoned', 'node node2 takes no new hosts')$$, 'it is written down once'
);
select count(node.cordon(id)) as done from ccp.nodes \gset
select throws_ok($$select node.pick()$$, 'CP409', 'no machine takes new hosts', 'without a node there are no new hosts');
select lives_ok(format('select node.cordon(%s, false)', :node2), 'it is open again');
select is(node.pick(), :node2::bigint, 'and chosen');
select is((select count(*) from ccp.events where type = 'admin.node.uncordoned'), 1::bigint, 'which is written down');
select throws_ok($$select node.cordon(999)$$, 'CP404', 'There is no such node.', 'there must be such a node');

select * from finish();
rollback;
