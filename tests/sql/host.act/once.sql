-- Requests that fold into one task are one event, whoever makes them and by whichever way.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(23);

select t.at('2099-01-01');
create function t.events(p_type text) returns bigint language sql security definer as $$
    select count(*) from ccp.events where type = p_type
$$;
create function t.act(p_kind text, p_params jsonb default '{}') returns uuid language sql as $$
    select (host.act(t.host(), p_kind, p_params)).id
$$;

-- A task of a host.
create temporary table asked as select t.act('host.start') as id;
select is(
    t.last_event(), 'info | admin.host.action | host.start was asked for host abcdef | alice | abcdef | host.start | {"action": "start"}',
    'what is asked for is written down'
);
select is(t.act('host.start'), (select id from asked), 'the same request again is the same task');
select is((api.host_task(t.login('boss'), 1, t.host(), 'host.start')).task_id, (select id from asked), 'by the API too');
select is(t.events('admin.host.action'), 1::bigint, 'and the same event');
select t.claim();
select is(t.act('host.start'), (select id from asked), 'also when it runs');
select is(t.events('admin.host.action'), 1::bigint, 'and that is no other event');
select isnt(t.act('host.stop'), (select id from asked), 'another request is another task');
select is(t.events('admin.host.action'), 2::bigint, 'and another event');
select throws_ok($$select host.act(gen_random_uuid(), 'host.stop')$$, 'CP404', 'There is no such host.', 'only a host is asked');

-- A task that reconciliation made: the first who asks for it is written down.
set local session_replication_role = replica;
delete from ccp.task_rows;
update ccp.hosts set status = 'stopped', desired = 'running';
set local session_replication_role = origin;
select host.reconcile(t.host());
select is(t.events('admin.host.action'), 2::bigint, 'what nobody asked for is no one''s');
select t.act('host.start'), t.act('host.start');
select is(t.events('admin.host.action'), 3::bigint, 'until an administrator does, once');

-- Parameters are part of the request and of the event.
set local session_replication_role = replica;
delete from ccp.task_rows;
update ccp.hosts set status = 'stopped', desired = 'stopped';
set local session_replication_role = origin;
select t.act('host.rebuild', '{"mode": "wipe"}');
select is(
    t.last_event(),
    'info | admin.host.action | host.rebuild was asked for host abcdef | alice | abcdef | host.rebuild | {"mode": "wipe", "action": "rebuild"}',
    'a request is written down with its parameters'
);

-- The end of a task, and the same again.
set local session_replication_role = replica;
delete from ccp.task_rows;
update ccp.hosts set status = 'stopped', desired = 'stopped';
set local session_replication_role = origin;
select t.act('host.start');
select task.stop(id) from ccp.task_rows where status = 'queued';
select task.stop(id) from ccp.task_rows;
select is(t.events('admin.task.canceled'), 1::bigint, 'a cancellation is one event');
select throws_ok($$select task.stop(gen_random_uuid())$$, 'CP404', 'There is no such task.', 'only a task is canceled');
create temporary table again as select (task.repeat(id)).id from ccp.task_rows;
select is(t.events('admin.task.retried'), 1::bigint, 'so is that it is asked for again');
select is((task.repeat(k.id)).id, (select id from again), 'twice the same task') from ccp.task_rows as k where k.status = 'canceled';
select is(t.events('admin.task.retried'), 1::bigint, 'and the same event');
select is(t.act('host.start'), (select id from again), 'an order of the host meets it');
select is(t.events('admin.host.action'), 6::bigint, 'and is an event of its own');

-- A host that is gone.
select lives_ok($$select host.rotate_ssh_password(t.host(), '$y$j9T$' || repeat('a', 60))$$, 'a host gets another password');
select is(t.last_event(), 'info | key.rotated | the ssh password of host abcdef was changed | alice | abcdef', 'which is written down');
set local session_replication_role = replica;
update ccp.hosts set status = 'deleted', desired = 'absent', deleted_at = clock.now();
set local session_replication_role = origin;
select throws_ok($$select t.act('host.start')$$, 'CP404', 'There is no such host.', 'nobody asks a tombstone');
select throws_ok(
    $$select host.rotate_ssh_password(t.host(), '$y$j9T$' || repeat('a', 60))$$, 'CP404', 'There is no such host.', 'nor gives it a password'
);

select * from finish();
rollback;
