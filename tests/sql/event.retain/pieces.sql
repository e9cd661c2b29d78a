-- Retention: what goes, in which order, in pieces, and who asks for the next one.
begin;
\ir ../hosts.psql
select plan(19);

create function t.retain(p_rows integer default 1000) returns jsonb language sql as $$ select event.retain(p_rows) $$;
create function t.asked() returns bigint language sql as $$
    select count(*) from ccp.task_rows where kind = 'events.retain'
$$;
-- The worker's part: claims the retention and reports what it found.
create function t.retention_ends(p_result jsonb) returns text language sql as $$
    select task.succeed(c.task_id, c.lease, p_result) from task.claim(t.worker(), 1, true) as c
$$;

-- Three deleted hosts with two tasks each, and one session.
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired)
select 'gone0' || n, h.user_id, h.node_id, 'image', 'deleting', 'absent' from ccp.hosts as h, generate_series(1, 3) as n;
insert into ccp.task_rows (kind, host_id, user_id, queue, created_by, status, created_at, finished_at)
select
    'host.delete', h.id, h.user_id, 'ccp_agent_1', 'test', 'succeeded', clock.now() + right(h.short_id, 1)::integer * interval '1 s',
    clock.now()
from ccp.hosts as h, generate_series(1, 2)
where h.status = 'deleting';
insert into ccp.sessions (user_id, host_id, process_id, method, address, ended_at, end_reason)
select user_id, id, t.agent(), 'key', '127.0.0.1', clock.now(), 'closed' from ccp.hosts where short_id = 'gone01';
update ccp.hosts set status = 'deleted' where status = 'deleting';
insert into ccp.logins (user_id, expires_at) select id, clock.now() from ccp.users;
insert into ccp.idempotency_keys (user_id, key, route, request_sha256, status)
select id, 'key', 'route', repeat('a', 64), 200 from ccp.users;

select is(t.retain() - 'months' - 'processes', jsonb_build_object(
    'tasks', 0, 'sessions', 0, 'grants', 0, 'logins', 0, 'idempotency_keys', 0, 'deliveries', 0, 'hosts', 0, 'users', 0, 'more', false, 'months_in_use', false
), 'nothing goes on the first day');
select t.at('2099-01-01');
select ok((t.retain(0) ->> 'more')::boolean, 'with a piece of nothing there is always more');
select is(t.retain(4) ->> 'tasks', '4', 'a piece is as long as it may be');
select is((select count(*)::integer from ccp.hosts where status = 'deleted'), 1, 'the hosts of which nothing was left went with it');
create temporary table last as select t.retain(4) as piece;
select is((select piece ->> 'tasks' from last), '2', 'the next piece takes the rest');
select is((select piece ->> 'more' from last), 'false', 'and says that it was the last');
select is((select count(*)::integer from ccp.hosts where status = 'deleted'), 0, 'no tombstone is left');
select is((select count(*)::integer from ccp.hosts), 1, 'the living host stays');
select is((select count(*)::integer from ccp.sessions), 0, 'sessions of the past are gone');
select is((select count(*)::integer from ccp.logins), 0, 'and logins');
select is((select count(*)::integer from ccp.idempotency_keys), 0, 'and idempotency keys');
select is(
    (select count(*)::integer from pg_inherits where inhparent = 'ccp.events'::regclass
        and inhrelid::regclass::text < 'ccp.events_2098'), 0, 'and old months'
);

select clock.tick('worker');
select is(t.asked(), 1::bigint, 'the tick asks for the first retention');
select is(t.retention_ends('{"more": false, "months_in_use": true}'), 'ok', 'which meets a month that somebody reads');
select t.at('2099-01-01 00:00:59');
select clock.tick('worker');
select is(t.asked(), 1::bigint, 'it is not asked for again at once');
select t.at('2099-01-01 00:01:00');
select clock.tick('worker');
select is(t.asked(), 2::bigint, 'but after a minute');
select is(t.retention_ends('{"more": false, "months_in_use": false}'), 'ok', 'that one leaves nothing behind');
select t.at('2099-01-01 23:00:00');
select clock.tick('worker');
select is(t.asked(), 2::bigint, 'so there is no other that day');
select t.at('2099-01-02 00:01:00');
select clock.tick('worker');
select is(t.asked(), 3::bigint, 'the next day there is');

select * from finish();
rollback;
