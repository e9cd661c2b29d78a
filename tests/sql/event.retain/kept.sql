-- What retention removes of each sort, and what it keeps because something still points there.
begin;
\ir ../hosts.psql
select plan(19);

select t.at('2099-01-01');
create function t.user() returns uuid language sql as $$ select id from ccp.users where username = 'alice' $$;
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, deleted_at)
select v.short_id, h.user_id, h.node_id, 'image', 'deleted', 'absent', clock.now() - v.age
from ccp.hosts as h,
    (values ('free11', interval '91 days'), ('fresh1', interval '89 days'), ('bytask', interval '91 days'), ('bysess', interval '91 days'),
        ('bygran', interval '91 days')) as v (short_id, age);
insert into ccp.task_rows (kind, host_id, user_id, queue, created_by, created_at, status, finished_at)
select 'host.delete', h.id, h.user_id, 'ccp_agent', 'test', clock.now() - interval '100 days', 'succeeded', clock.now() - interval '89 days'
from ccp.hosts as h where h.short_id = 'bytask';
insert into ccp.processes (program, node_id, queue, pid, version, ended_at, end_reason)
select 'ccp-sshproxy', n.id, 'ccp_sshproxy', v.pid, 'test', clock.now() - v.age, case when v.age is not null then 'stopped' end
from ccp.nodes as n,
    (values (101, interval '91 days'), (102, interval '89 days'), (103, null), (104, interval '91 days'), (105, interval '91 days')) as v (pid, age);
create function t.process(p_pid integer) returns bigint language sql as $$ select id from ccp.processes where pid = p_pid $$;
insert into ccp.sessions (user_id, host_id, process_id, method, address, ended_at, end_reason)
select h.user_id, h.id, t.process(v.pid), v.method, '127.0.0.1', clock.now() - v.age, case when v.age is not null then 'closed' end
from (values ('bysess', 104, 'key', interval '89 days'), ('abcdef', 103, 'password', null), ('abcdef', 103, 'grant', interval '91 days')) as v (short_id, pid, method, age)
join ccp.hosts as h on h.short_id = v.short_id;
insert into ccp.observations (host_id, process_id, sequence, state, observed_at) select id, t.process(105), 1, 'running', clock.now() from ccp.hosts where short_id = 'abcdef';
insert into ccp.access_grants (purpose, user_id, host_id, poll_token_sha256, created_at, expires_at)
select 'bootstrap', h.user_id, h.id, repeat(v.digit, 64), clock.now() - interval '100 days', clock.now() - v.age
from (values ('bygran', 'a', interval '89 days'), ('abcdef', 'b', interval '91 days')) as v (short_id, digit, age)
join ccp.hosts as h on h.short_id = v.short_id;
insert into ccp.logins (user_id, expires_at) values (t.user(), clock.now() - interval '91 days'), (t.user(), clock.now() - interval '89 days');
insert into ccp.idempotency_keys (user_id, key, route, request_sha256, status, created_at)
select t.user(), v.key, 'route', repeat('a', 64), 200, clock.now() - v.age
from (values ('old', interval '25 hours'), ('new', interval '23 hours')) as v (key, age);
insert into ccp.signing_keys (kid, secret, retired_at, expires_at)
select v.kid, sha256(v.kid::bytea), case when v.age is not null then clock.now() - interval '1 day' end, clock.now() - v.age
from (values ('aaaaaaaaaaaaaa01', interval '1 second'), ('aaaaaaaaaaaaaa02', interval '-1 hour'), ('aaaaaaaaaaaaaa03', null)) as v (kid, age);
insert into ccp.task_rows (kind, params, queue, created_by, created_at, status, finished_at)
select 'system.noop', jsonb_build_object('label', v.label), 'ccp_worker', 'test', clock.now() - v.created, 'succeeded', clock.now() - v.finished
from (values ('old', interval '91 days', interval '91 days'), ('skewed', interval '1 day', interval '91 days')) as v (label, created, finished);
insert into ccp.webhook_deliveries (webhook_id, event_id, event_at, event_type, created_at)
select gen_random_uuid(), v.number, clock.now(), 'host.started', clock.now() - v.age
from (values (1, interval '91 days'), (2, interval '89 days')) as v (number, age);

create temporary table piece as select event.retain() as said;
select is((select string_agg(short_id, ' ' order by short_id) from ccp.hosts), 'abcdef bygran bysess bytask fresh1', 'tombstones to which nothing points go');
select is((select string_agg(pid::text, ' ' order by pid) from ccp.processes where program = 'ccp-sshproxy'), '102 103 104 105', 'so do processes');
select is((select string_agg(method, ' ' order by method) from ccp.sessions), 'key password', 'sessions go by their end');
select is((select string_agg(left(poll_token_sha256, 1), ' ') from ccp.access_grants), 'a', 'grants by theirs');
select is((select count(*)::integer from ccp.logins), 1, 'logins too');
select is((select string_agg(key, ' ') from ccp.idempotency_keys), 'new', 'idempotency keys after a day');
select is((select string_agg(right(kid, 2), ' ' order by kid) from ccp.signing_keys), '02 03', 'signing keys as soon as they sign for none');
select is((select string_agg(params ->> 'label', ' ') from ccp.task_rows where kind = 'system.noop'), 'skewed', 'tasks by both their times');
select is((select string_agg(event_id::text, ' ') from ccp.webhook_deliveries), '2', 'deliveries by their age');
select is(
    (select said - 'months' from piece),
    '{"tasks": 1, "sessions": 1, "grants": 1, "logins": 1, "idempotency_keys": 1, "deliveries": 1, "hosts": 1, "users": 0, "processes": 1, "months_in_use": false, "more": false}',
    'the answer counts them'
);
select is((event.retain() - 'months_in_use')::text::jsonb, '{"tasks": 0, "sessions": 0, "grants": 0, "logins": 0, "idempotency_keys": 0, "deliveries": 0, "hosts": 0, "users": 0, "processes": 0, "months": 0, "more": false}'::jsonb, 'the next has nothing left');

-- Months.
select event.make_months(3);
select is(
    (select count(*)::integer from pg_inherits where inhparent = 'ccp.events'::regclass and inhrelid::regclass::text >= 'ccp.events_2098_12'),
    5, 'months are made from the last to the third from now'
);
select is(event.make_months(3), 0, 'once');
select is(obj_description(to_regclass('ccp.events_2099_02'), 'pg_class'), 'One month of ccp.events.', 'each says what it is');
select t.at('2099-06-15');
select is((event.retain() ->> 'months')::integer, 6, 'those past their retention go, of events and of verifications');
select isnt(to_regclass('ccp.events_2099_03'), null, 'a month of which a day is kept stays');
select throws_ok($$select event.drop_month('events', '2099-06-01')$$, 'CP409', 'this month is not over yet', 'the present one is never dropped');
select throws_ok($$select event.drop_month('hosts', '2099-01-01')$$, 'CP422', 'hosts has no months', 'only tables with months');
select is(event.drop_month('events', '2050-01-01'), false, 'one that does not exist is not dropped');

select * from finish();
rollback;
