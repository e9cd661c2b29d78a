-- What an agent is told when it starts: every host on its node that is not gone.
begin;
\ir ../hosts.psql
select plan(6);

insert into ccp.nodes (name) values ('node2');
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, deleted_at)
select v.short_id, h.user_id, n.id, 'image', v.status, v.desired, v.deleted_at
from ccp.hosts as h, (
    values ('second', 'node1', 'failed', 'absent', null), ('gone01', 'node1', 'deleted', 'absent', clock.now()),
        ('there1', 'node2', 'running', 'running', null)
) as v (short_id, node, status, desired, deleted_at)
join ccp.nodes as n on n.name = v.node;

select set_eq(
    $$select spec ->> 'short_id' from node.specs(t.agent())$$, array['abcdef', 'second'], 'its node''s hosts, but no tombstone'
);
select results_eq(
    $$select host_id, spec from node.specs(t.agent())$$,
    $$select id, host.spec(id) from ccp.hosts where short_id in ('abcdef', 'second') order by id$$, 'each with its specification'
);
create temporary table other as select (process.register('ccp-agent', 'node2', 3, 'test')).*;
select set_eq(
    $$select spec ->> 'short_id' from node.specs((select process_id from other))$$, array['there1'], 'the other node''s agent its own'
);
select throws_ok($$select * from node.specs(0)$$, 'CP401', null, 'nobody else anything');
select is(
    host.observe((select process_id from other), t.host(), 1, 'absent', null, null, clock.now()), 'not_yours',
    'and what an agent says of another node''s host counts for nothing'
);
select is((select count(*)::integer from ccp.observations), 0, 'it is not even kept');

select * from finish();
rollback;
