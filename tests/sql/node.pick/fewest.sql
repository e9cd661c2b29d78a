-- Where a new host goes: to a node with a living agent, and of those to the one with the fewest hosts.
begin;
\ir ../hosts.psql
select plan(8);

create function t.picked() returns text language sql as $$ select name from ccp.nodes where id = node.pick() $$;
create function t.host_on(p_node text, p_short_id text, p_status text default 'stopped') returns void language sql as $$
    insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, deleted_at)
    select p_short_id, h.user_id, n.id, 'image', p_status, case p_status when 'deleted' then 'absent' else 'stopped' end,
        case p_status when 'deleted' then clock.now() end
    from ccp.hosts as h, ccp.nodes as n where h.short_id = 'abcdef' and n.name = p_node
$$;
select is(t.picked(), 'node1', 'the one node');
insert into ccp.nodes (name) values ('bare');
select process.register('ccp-worker', 'bare', 3, 'test');
select is(t.picked(), 'node1', 'a node without an agent takes none');
select process.register('ccp-agent', 'node2', 4, 'test');
select is(t.picked(), 'node2', 'the node with fewer hosts');
select t.host_on('node2', 'host21');
select is(t.picked(), 'node1', 'of two with as many the first');
select t.host_on('node1', 'host11', 'deleted'), t.host_on('node1', 'host12', 'deleted');
select is(t.picked(), 'node1', 'tombstones do not count');
select t.host_on('node1', 'host13');
select is(t.picked(), 'node2', 'hosts do');
update ccp.processes set ended_at = clock.now(), end_reason = 'silent' where pid = 4;
select is(t.picked(), 'node1', 'a node whose agent lives comes before one whose agent is gone');
delete from ccp.processes where program = 'ccp-agent';
select throws_ok($$select node.pick()$$, 'CP409', 'no machine takes new hosts', 'without any agent there is none');

select * from finish();
rollback;
