-- Batches of hosts that give way on a full disk: who is in one, where the next begins.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(11);

-- Of two hosts the one with the lower id, which comes first, and the other.
create function t.first() returns uuid language sql as $$ select id from ccp.hosts order by id limit 1 $$;
create function t.last() returns uuid language sql as $$ select id from ccp.hosts order by id desc limit 1 $$;
create function t.takes(p_host uuid, p_gb bigint) returns void language sql as $$
    select host.note_disk(t.agent(), p_host, p_gb << 30, 1, 1)
$$;
create function t.is_asked_to_stop(p_host uuid) returns boolean language sql as $$
    select exists (select from ccp.task_rows where host_id = p_host and kind = 'host.stop')
$$;
create function t.events() returns bigint language sql as $$ select count(*) from ccp.events where type = 'host.disk.stopped' $$;

update ccp.hosts set status = 'starting', desired = 'running';
update ccp.hosts set status = 'running';
select count(host.observe(t.agent(), id, 1, 'running', null, null, clock.now())) as done from ccp.hosts \gset
select t.takes(t.first(), 1);
select t.takes(t.last(), 21);
select is(host.make_room(null, 1), null, 'with room on the disk nobody gives way');
select node.set_disk(t.agent(), 1, 1000, 0, 0);
select is(host.make_room(null, 2), null, 'a batch that is not full is the last');
select ok(t.is_asked_to_stop(t.last()) and not t.is_asked_to_stop(t.first()), 'who takes too much is stopped, and only who does');
select is(t.events(), 1::bigint, 'which is an event');
select t.takes(t.first(), 21);
select t.takes(t.last(), 1);
select (task.enqueue('host.verify', t.first(), '{}', null)).id is null as done \gset
select is(host.make_room(null, 1), t.first(), 'a full batch may have more behind it');
select is(host.make_room('00000000-0000-0000-0000-000000000000', 1), t.first(), 'wherever it begins');
select ok(not t.is_asked_to_stop(t.first()), 'a host with a live task waits');
select is(t.events(), 1::bigint, 'and of that nothing is told');
select is(host.make_room(t.first(), 1), null, 'the next batch begins behind it');
select count(*) as done from task.claim(t.agent(), 2) \gset
select task.succeed(id, lease, '{}') from ccp.task_rows where status = 'running' and kind = 'host.verify';
select ok(t.is_asked_to_stop(t.first()), 'it is stopped when that has ended');
select is(host.make_room(null, 1), null, 'who is being stopped is in none');

select * from finish();
rollback;
