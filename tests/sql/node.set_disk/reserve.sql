-- The reserve of a node's disk: when it begins, what it refuses, when it ends.
begin;
\ir ../hosts.psql
select plan(29);

create function t.disk(p_free bigint) returns void language sql as $$ select node.set_disk(t.agent(), p_free * 1024 * 1024, 1000 * 1024 * 1024::bigint, 0, 0) $$;
create function t.disk(p_free bigint, p_files bigint) returns void language sql as $$
    select node.set_disk(t.agent(), p_free * 1024 * 1024, 1000 * 1024 * 1024::bigint, p_files, 1000)
$$;
create function t.refusal() returns text language sql as $$ select host.spec(t.host()) ->> 'refusal' $$;
create function t.events() returns text[] language sql as $$
    select coalesce(array_agg(level || ' ' || message order by id), '{}') from ccp.events where type like 'node.disk.%'
$$;
create function t.doctor() returns text language sql as $$
    select case when ok then 'ok: ' else 'not ok: ' end || why from ccp.doctor where name = 'disk'
$$;

select is(t.refusal(), null, 'before an agent has told nothing is refused');
select is(t.doctor(), 'ok: every node''s disk has more room than disk_reserve_percent', 'and the doctor is content');
select lives_ok($$select t.disk(50)$$, 'exactly the reserve is free');
select is(t.refusal(), null, 'which is enough');
select is(t.events(), '{}', 'and no event');
select t.disk(49);
select is(
    t.refusal(), 'the disk of node1 is nearly full (49 MB of 1000 MB free): no host is started there before something has been removed',
    'with less no host is started'
);
select is(
    t.events(), array['error the disk of node1 is nearly full (49 MB of 1000 MB free): none of its hosts is started'], 'which is an event'
);
select is(t.doctor(), 'not ok: node1 has 49 MB of 1000 MB free: no host is started there', 'and the doctor''s');
select t.disk(48);
select is(cardinality(t.events()), 1, 'one event, however long it lasts');
update ccp.settings set value = '"off"' where name = 'user_namespaces';
select matches(t.refusal(), 'nearly full \(48 MB of', 'also where containers have no user namespaces');
select setting.put('disk_reserve_percent', '4') is null as done \gset
select t.disk(48);
select is(t.refusal(), null, 'another reserve counts from the next report on');
select setting.put('disk_reserve_percent', '5') is null as done \gset
select t.disk(48);
select t.disk(60);
select is((t.events())[4], 'info the disk of node1 has room again (60 MB free)', 'its end is an event');
select is(t.refusal(), null, 'and hosts may start');
select t.disk(70);
select is(cardinality(t.events()), 4, 'of which there is one too');
-- Files without room.
select t.disk(60, 50);
select is(t.refusal(), null, 'exactly the reserve of files is enough');
select t.disk(60, 49);
select is(
    t.refusal(), 'the disk of node1 is nearly full (49 of 1000 files free): no host is started there before something has been removed',
    'with fewer no host is started, however much room there is'
);
select is(
    (t.events())[5], 'error the disk of node1 is nearly full (49 of 1000 files free): none of its hosts is started', 'which is an event'
);
select is(t.doctor(), 'not ok: node1 has 49 of 1000 files free: no host is started there', 'and the doctor''s');
select is(
    (select concat_ws(' ', disk_free_bytes, disk_bytes, disk_free_files, disk_files) from ccp.nodes),
    '62914560 1048576000 49 1000', 'the numbers are kept'
);
select t.disk(40, 48);
select is(t.doctor(), 'not ok: node1 has 40 MB of 1000 MB and 48 of 1000 files free: no host is started there', 'what is short is said');
select t.disk(40, 60);
select is(t.doctor(), 'not ok: node1 has 40 MB of 1000 MB free: no host is started there', 'and only that');
select is(cardinality(t.events()), 5, 'in one event');
select t.disk(60, 60);
select is((t.events())[6], 'info the disk of node1 has room again (60 MB free)', 'it ends when there are both');
select is(t.refusal(), null, 'and hosts may start again');
-- What PostgreSQL says when a file cannot grow.
create function t.no_room() returns trigger language plpgsql as $$ begin raise disk_full; end $$;
create trigger no_room before insert on ccp.events for each row execute function t.no_room();
select lives_ok($$select t.disk(0)$$, 'a disk with no room for the event is told');
select matches(t.refusal(), '0 bytes of 1000 MB free', 'and hosts are refused');
drop trigger no_room on ccp.events;
select t.disk(60);
select is((t.events())[7], 'info the disk of node1 has room again (60 MB free)', 'its end is an event');
select throws_ok($$select node.set_disk(0, 1, 1, 1, 1)$$, 'CP401', null, 'nobody but a live agent tells');
set session authorization ccp_worker;
select throws_ok($$select node.set_disk(1, 1, 1, 1, 1)$$, '42501', null, 'and no other program');
reset session authorization;

select * from finish();
rollback;
