-- Idempotency keys, and tasks that work on nothing.
begin;
\ir ../hosts.psql
select plan(12);

select is(
    (task.enqueue('host.start', t.host(), '{}', 'k1')).id, (task.enqueue('host.start', t.host(), '{}', 'k1')).id,
    'the same key returns the same row'
);
select lives_ok($$select t.claim()$$, 'it is claimed');
select is(t.succeed(), 'ok', 'and done');
select is(
    (task.enqueue('host.start', t.host(), '{}', 'k1')).id, (select id from ccp.task_rows where idempotency_key = 'k1'),
    'the key still returns the row it made'
);
select throws_ok(
    $$select task.enqueue('host.stop', t.host(), '{}', 'k1')$$, 'CP409', 'this idempotency key was used for another request',
    'the same key for another request is refused'
);
select is(
    (task.enqueue('system.noop')).id, (task.enqueue('system.noop', null, '{}')).id, 'no subject equals no subject'
);
select isnt(
    (task.enqueue('system.noop')).id, (task.enqueue('system.noop', null, '{"hold_ms": 5}')).id,
    'other parameters are another task'
);
select is(
    (select count(*)::integer from task.claim(t.worker(), 10)), 2, 'the worker claims both'
);

-- A key that comes after the request it repeats.
select t.ask('host.rebuild');
select is(
    (task.enqueue('host.rebuild', t.host(), '{"mode": "keep"}', 'k2')).idempotency_key, 'k2',
    'a key that meets the live row of its request is kept by it'
);
select t.work();
select is(
    (task.enqueue('host.rebuild', t.host(), '{}', 'k2')).status, 'succeeded', 'and finds it when it has ended'
);
select is(
    (task.enqueue('system.noop', null, '{"hold_ms": 5}', 'k3')).idempotency_key, 'k3', 'the same holds without a host'
);
select is(
    (task.enqueue('system.noop', null, '{"hold_ms": 5}', 'k4')).idempotency_key, 'k3', 'the first key stays'
);

select * from finish();
rollback;
