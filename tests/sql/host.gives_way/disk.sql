-- What a host's files take of its disk: when it is too much, who reads it, and who gives way when the disk is nearly full.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(49);

create function t.gb(p_number bigint) returns bigint language sql as $$ select p_number << 30 $$;
create function t.disk(p_free bigint) returns void language sql as $$ select node.set_disk(t.agent(), p_free, 1000, 0, 0) $$;
create function t.note(p_bytes bigint, p_files bigint default 1, p_depth integer default 1) returns void language sql as $$
    select host.note_disk(t.agent(), t.host(), p_bytes, p_files, p_depth)
$$;
create function t.events() returns text[] language sql as $$
    select coalesce(array_agg(level || ' ' || type || ': ' || message order by id), '{}')
    from ccp.events
    where type like 'host.disk.%' and host_id = t.host()
$$;
create function t.why() returns text language sql as $$ select why from ccp.host_status where host = 'abcdef' $$;
create function t.wanted() returns text language sql as $$ select wanted from ccp.host_wants where host_id = t.host() $$;
create function t.doctor() returns text language sql as $$
    select case when ok then 'ok: ' else 'not ok: ' end || why from ccp.doctor where name = 'files'
$$;
create function t.mine() returns text language sql as $$
    select string_agg(kind || ' ' || status, ', ') from ccp.task_rows where host_id = t.host() and status in ('queued', 'running')
$$;
create function t.tick() returns void language sql as $$ select clock.tick('worker') $$;

select t.at(now());
select is(host.spec(t.host()) ->> 'host_disk_gb', '20', 'the agent knows how far it has to count');
select lives_ok($$select t.note(t.gb(21))$$, 'a host that no agent has seen may be measured');
select is((select disk_bytes from ccp.observations where host_id = t.host()), null, 'but nothing is kept');
select is(t.events(), '{}', 'and nothing told');
select t.run();
select host.observe(t.agent(), t.host(), 1, 'running', null, null, clock.now()) is null as done \gset
select is(t.doctor(), 'ok: no host''s files take more than host_disk_gb allows', 'what is not measured is not too much');
select is(t.wanted(), 'running', 'and gives no way');

-- Too much by bytes, files or depth; the limits themselves are not.
select t.note(t.gb(20), 20 * 65536, 255);
select is(t.events(), '{}', 'what it may take, exactly, is not too much');
select t.note(t.gb(20) + 1);
select is(
    t.events(),
    array['warning host.disk.over: host abcdef takes too much of its disk: its files take more than the 20 GB of host_disk_gb'],
    'a byte more is, and an event'
);
select t.note(t.gb(20) + 2);
select is(cardinality(t.events()), 1, 'of which there is one, however long it lasts');
select t.note(t.gb(20), 20 * 65536 + 1);
select is(cardinality(t.events()), 1, 'and whatever it is that is too much');
select matches(t.why(), 'it has more than 1310720 files, as many as the 20 GB of host_disk_gb are good for', 'empty files count');
select t.note(1, 1, 256);
select matches(t.why(), 'nested deeper than 255, so that nobody knows', 'so does what hides below the depth that is looked at');
select matches(t.why(), 'remove some, for when the disk of node1 is nearly full it is stopped', 'people read what helps and what comes');
select is(
    t.doctor(),
    'not ok: these take more of their disks than host_disk_gb allows, ccp.host_status tells how much: abcdef; when a disk is nearly '
    'full those on it are stopped',
    'the doctor names it'
);
select t.note(1);
select is((t.events())[2], 'info host.disk.within: host abcdef takes no more of its disk than it may', 'its end is an event');
select matches(t.why(), '^((?!disk).)*$', 'and then nobody reads of it');
select is(t.doctor(), 'ok: no host''s files take more than host_disk_gb allows', 'nor the doctor');
select t.note(1, 2, 3);
select results_eq(
    $$select disk_bytes::text, disk_files::text, disk_depth::text from ccp.observations where host_id = t.host()$$,
    $$values ('1', '2', '3')$$,
    'all that was counted is kept'
);
select host.note_disk(t.agent(), gen_random_uuid(), 5, 5, 5);
select is_empty($$select from ccp.observations where disk_bytes = 5$$, 'what a host takes that is not there is nobody''s');

-- With room on the disk it goes on.
select t.note(t.gb(30));
select t.disk(500);
select t.tick();
select is(t.mine(), null, 'while there is room nothing is stopped');
select is(t.wanted(), 'running', 'or wanted otherwise');

-- Without, it gives way, and only it.
update ccp.hosts set status = 'starting', desired = 'running' where short_id = 'ghijkl';
update ccp.hosts set status = 'running' where short_id = 'ghijkl';
select t.disk(49);
select is(t.wanted(), 'stopped', 'with the disk nearly full it is wanted stopped');
select is(host.spec(t.host()) ->> 'wanted', 'stopped', 'which its agent hears');
select is((select desired from ccp.hosts where id = t.host()), 'running', 'though its owner desires otherwise as before');
select matches((select why from ccp.host_wants where host_id = t.host()), 'desires it running, but it gives way', 'the view says both');
select is(
    (select wanted from ccp.host_wants as w join ccp.hosts as h on h.id = w.host_id where h.short_id = 'ghijkl'), 'running',
    'one that takes little goes on'
);
select t.tick();
select is(t.mine(), 'host.stop queued', 'the tick stops it');
select is(
    (t.events())[4],
    'warning host.disk.stopped: host abcdef is stopped: its files take more than the 20 GB of host_disk_gb, and the disk of node1 is '
    'nearly full',
    'which is an event'
);
select t.tick();
select is(cardinality(t.events()), 4, 'once');
select is(
    (select count(*) from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id where h.short_id = 'ghijkl' and k.kind = 'host.stop'),
    0::bigint, 'the other is left alone'
);
select t.work();
select is(t.status(), 'stopped', 'it is stopped');
select t.tick();
select is(t.mine(), null, 'and stays so while the disk is full');
select matches(
    t.why(), 'and the disk of node1 is nearly full: it is kept stopped until there is room, or it is rebuilt and takes less',
    'people read why and until when'
);

-- What it waits for: that it takes less, or that there is room.
select t.note(1);
select is(t.wanted(), 'running', 'when it takes less it is wanted again');
select t.note(t.gb(30));
select is(t.wanted(), 'stopped', 'and when it takes more it is not');
select setting.put('host_disk_gb', '30') is null as done \gset
select is(t.wanted(), 'stopped', 'another limit');
select t.note(t.gb(30));
select is(t.wanted(), 'running', 'counts from the next measurement on');
select setting.put('host_disk_gb', '20') is null as done \gset
select t.note(t.gb(30));
select t.disk(60);
select is(t.wanted(), 'running', 'with room on the disk it is wanted, whatever it takes');
select t.tick();
select is(t.mine(), 'host.start queued', 'and started by itself');

-- A live task is not disturbed; another node's disk is another's.
select t.disk(49);
select lives_ok($$select host.make_room()$$, 'a host with a live task');
select is(t.mine(), 'host.start queued', 'waits for its end');
select t.work();
select is(t.mine(), 'host.stop queued', 'at which it is stopped');
select t.work();
select t.disk(60);
select t.tick();
select t.work();
select t.disk(49);
select is(host.make_room(null, 1), t.host(), 'a full batch tells where the next one begins');
select is(host.make_room(t.host(), 1), null, 'which has none left');
insert into ccp.nodes (name) values ('node2');
select process.register('ccp-agent', 'node2', 9, 'test');
select lives_ok(
    $$select host.note_disk(p.id, t.host(), 1, 1, 1) from ccp.processes as p join ccp.nodes as n on n.id = p.node_id where n.name = 'node2'$$,
    'what another node''s agent says of it'
);
select is((select disk_bytes from ccp.observations where host_id = t.host()), t.gb(30), 'counts for nothing');
select throws_ok($$select host.note_disk(0, t.host(), 1, 1, 1)$$, 'CP401', null, 'nobody but a live agent tells');
set session authorization ccp_worker;
select throws_ok($$select host.note_disk(1, gen_random_uuid(), 1, 1, 1)$$, '42501', null, 'and no other program');
reset session authorization;

-- Of a host that is gone nothing is noted.
update ccp.hosts set status = 'deleting', desired = 'absent' where id = t.host();
update ccp.hosts set status = 'deleted' where id = t.host();
select host.note_disk(p.id, t.host(), 7, 7, 7) from ccp.processes as p join ccp.nodes as n on n.id = p.node_id where n.name = 'node1';
select is_empty($$select from ccp.observations where disk_bytes = 7$$, 'what a deleted host takes is nobody''s');

select * from finish();
rollback;
