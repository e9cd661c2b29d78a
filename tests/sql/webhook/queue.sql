-- What waits for a webhook: queued with the event, sent in order by one task at a time, tried for a day.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(60);

set local timezone = 'UTC';
select t.at('2099-01-01 12:00:00');
create function t.sealed() returns text language sql as $$ select repeat('A', 132) $$;
create function t.event(p_type text) returns bigint language sql security definer as $$
    select event.write(p_type, 'something happened', t.user('alice'), t.host(), null, '{"a": 1}')
$$;
create function t.waiting(p_hook uuid) returns text language sql as $$
    select string_agg(d.event_type, ' ' order by d.event_id) from ccp.webhook_deliveries as d
    where d.webhook_id = p_hook and d.delivered_at is null
$$;
create function t.tasks() returns text language sql as $$
    select string_agg(status, ' ' order by status) from ccp.task_rows where kind = 'webhook.deliver'
$$;
-- The worker's part: claims one task; what it is to send.
create function t.take() returns void language sql as $$ select task.claim(t.worker(), 1) $$;
create function t.running() returns ccp.task_rows language sql as $$
    select * from ccp.task_rows where status = 'running' and queue = 'ccp_worker' order by lease desc limit 1
$$;
create function t.next() returns text language sql as $$
    select n.message_id from t.running() as r, webhook.next(r.id, r.lease) as n
$$;
create function t.report(p_error text default null, p_status integer default 200) returns text language sql as $$
    select webhook.report(r.id, r.lease, n.event_id, p_status, p_error)
    from t.running() as r, webhook.next(r.id, r.lease) as n
$$;
create function t.ends() returns text language sql as $$
    select task.succeed(r.id, r.lease, '{}') from t.running() as r
$$;
create function t.fails() returns text language sql as $$
    select task.fail(r.id, r.lease, 'not_delivered', 'the receiver answers 500', true) from t.running() as r
$$;

-- Chosen and queued.
select webhook.add('chosen', 'https://hooks.example/a', t.sealed(), '{host.started,host.verified}') as chosen \gset
select webhook.add('off', 'https://hooks.example/b', t.sealed(), null, 'disabled') as off \gset
select t.event('host.started') as first \gset
select t.event('host.unavailable') as other \gset
select t.event('host.verified') as second \gset
select is(t.waiting(:'chosen'), 'host.started host.verified', 'a webhook gets the types that it chose');
select is(t.waiting(:'off'), null, 'one that is disabled gets nothing');
select webhook.add('all', 'https://hooks.example/c', t.sealed()) as everything \gset
select is(t.waiting(:'everything'), 'admin.webhook.created', 'one without types gets all, beginning with its own');
select webhook.remove(:'everything');

-- One task at a time.
select is(t.tasks(), null, 'nobody who writes an event makes a task');
select clock.tick('worker');
select is(t.tasks(), 'queued', 'the tick does');
select clock.tick('worker');
select is(t.tasks(), 'queued', 'once');
select is((select count(*)::integer from ccp.task_rows as k, webhook.next(k.id, 0) where k.kind = 'webhook.deliver'), 0, 'a task that does not run sends nothing');
select t.take();
select is(t.next(), 'evt_' || :'first', 'the first comes first, under its event''s id');
select is(t.next(), 'evt_' || :'first', 'until it was taken');
select is(
    (select n.body::jsonb from t.running() as r, webhook.next(r.id, r.lease) as n),
    jsonb_build_object(
        'type', 'host.started', 'timestamp', '2099-01-01T12:00:00+00:00',
        'data', (select to_jsonb(e) from api.event as e where e.id = :'first')
    ), 'the message is the event as the API shows it'
);
set local timezone = 'Asia/Tokyo';
select is(
    (select n.body::jsonb ->> 'timestamp' from t.running() as r, webhook.next(r.id, r.lease) as n), '2099-01-01T12:00:00+00:00',
    'in UTC wherever the worker is'
);
set local timezone = 'UTC';
select results_eq(
    $$select n.url, n.secret_sealed from t.running() as r, webhook.next(r.id, r.lease) as n$$,
    $$values ('https://hooks.example/a', t.sealed())$$, 'with where it goes and what signs it'
);
select clock.tick('worker');
select is(t.tasks(), 'running', 'while one runs there is no other');
select is((select webhook.report(r.id, r.lease - 1, :first, 200, null) from t.running() as r), 'stale', 'a report of another claim is stale');
select is(t.report(), 'ok', 'the first was taken');
select is(
    (select concat_ws(' ', attempts, response_status, error_message, tried_at = clock.now(), delivered_at = clock.now())
    from ccp.webhook_deliveries where event_id = :first), '1 200 t t', 'which is noted'
);
select is((select webhook.report(r.id, r.lease, :first, 500, 'late') from t.running() as r), 'ok', 'a late report of a failure');
select is((select attempts from ccp.webhook_deliveries where event_id = :first), 1, 'changes nothing of what was taken');
select is(t.next(), 'evt_' || :'second', 'the second is next');
select is(t.report(), 'ok', 'it is taken');
select is(t.next(), null, 'then there is nothing');
select is(t.ends(), 'ok', 'and the task is done');
select clock.tick('worker');
select is(t.tasks(), 'succeeded', 'no other follows');

select is((select why from ccp.webhook_status where label = 'chosen'), 'webhook chosen has taken everything', 'which people read');
select is((select why from ccp.webhook_status where label = 'off'), 'webhook off is disabled: what happens is not sent, now or later', 'also of the other');

-- Tried for a day.
select t.event('host.started') as third \gset
select t.event('host.started') as fourth \gset
select clock.tick('worker');
select t.take();
select is(t.report('the receiver answers 500', 500), 'again', 'one that is not taken is tried again');
select is(
    (select concat_ws(' ', attempts, response_status, error_message, first_tried_at = clock.now(), delivered_at)
    from ccp.webhook_deliveries where event_id = :third), '1 500 the receiver answers 500 t', 'the reason is noted'
);
select is(t.next(), 'evt_' || :'third', 'and nothing overtakes it');
select is(t.fails(), 'retry', 'by the same task');
select is(run_at - clock.now(), interval '1 second', 'a second later') from ccp.task_rows where kind = 'webhook.deliver' and status = 'queued';
select t.at('2099-01-01 13:00:00');
update ccp.task_rows set attempt = 20 where kind = 'webhook.deliver' and status = 'queued';
select t.take();
select is(t.fails(), 'retry', 'when it has failed many times');
select is(run_at - clock.now(), interval '1 hour', 'an hour later') from ccp.task_rows where kind = 'webhook.deliver' and status = 'queued';
select clock.tick('worker');
select is(t.tasks(), 'queued succeeded', 'meanwhile there is no other task');
select t.at('2099-01-02 11:59:59');
select t.take();
select is(t.report('the receiver answers 500', 500), 'again', 'nearly a day later it is still tried');
select t.at('2099-01-02 12:00:00');
select is(t.report('the receiver answers 502', 502), 'failing', 'after a day the webhook fails');
select results_eq(
    format('select status::text, failing_since, failing_reason from api.webhook where id = %L', :'chosen'),
    $$values ('failing', timestamptz '2099-01-02 12:00:00', 'the receiver answers 502')$$, 'with its reason'
);
select is(
    t.last_event(),
    format('error | webhook.failing | webhook chosen is failing and gets nothing more: the receiver answers 502 | {"webhook_id": "%s"}', :'chosen'),
    'which the audit log has'
);
select is(t.next(), null, 'it is sent nothing more');
select t.event('host.started') as fifth \gset
select is(t.waiting(:'chosen'), 'host.started host.started host.started', 'what happens meanwhile waits');
select t.ends();
select clock.tick('worker');
select is(t.tasks(), 'succeeded succeeded', 'no task is made for it');

select is(
    (select why from ccp.webhook_status where label = 'chosen'),
    'webhook chosen has been failing for 0 s and goes on when it is changed or a test of it is taken: the receiver answers 502',
    'people read so'
);

-- Tried again.
select webhook.edit(:'chosen', '{"status": "active"}');
select is((select status::text from api.webhook where id = :'chosen'), 'active', 'an administrator lets it be tried again');
select is(
    t.last_event(), format('info | webhook.restored | webhook chosen is tried again: it was changed | {"webhook_id": "%s"}', :'chosen'),
    'which the audit log has'
);
select clock.tick('worker');
select t.take();
select is(t.next(), 'evt_' || :'third', 'it goes on where it stopped');
select is(t.report('the receiver answers 500', 500), 'again', 'for another day');
select is(
    (select why from ccp.webhook_status where label = 'chosen'),
    'webhook chosen has not taken host.started, which was tried 4 times, the last 0 s ago, and holds up the rest: the receiver answers 500',
    'what holds it up can be read'
);
select is(t.report('gone', 410), 'failing', 'who says that it is gone for good is believed at once');
select t.ends();

-- A test goes past the queue.
select (webhook.test(:'chosen')).id as test \gset
select is(
    t.last_event(),
    format('info | admin.webhook.tested | a test of webhook chosen was asked for | webhook.test | {"webhook_id": "%s"}', :'chosen'),
    'a test is told'
);
select t.take();
select is(t.next(), 'test_' || :'test', 'it is sent whatever waits');
select is((select n.body::jsonb ->> 'type' from t.running() as r, webhook.next(r.id, r.lease) as n), 'webhook.test', 'as a type of its own');
select is(t.report('the receiver answers 500', 500), 'again', 'it may fail');
select is((select status::text from api.webhook where id = :'chosen'), 'failing', 'which changes nothing');
select is(t.report(), 'ok', 'one that is taken');
select is((select status::text from api.webhook where id = :'chosen'), 'active', 'puts the webhook to work again');
select t.ends();

-- Two tasks, of which one was to stop.
select clock.tick('worker');
select t.take();
create temporary table old as select * from t.running();
update ccp.task_rows set stop_requested_at = clock.now(), stop_reason = 'canceled' where id = (select id from old);
select is((select count(*)::integer from old, webhook.next(old.id, old.lease)), 0, 'a task that was asked to stop sends no more');
select webhook.dispatch();
select is((select count(*)::integer from ccp.task_rows where kind = 'webhook.deliver' and status = 'queued'), 0, 'none is made beside it');
select (task.submit('webhook.deliver', null, jsonb_build_object('webhook_id', :'chosen'), null, 'test')).status as asked \gset
select t.take();
select is(t.next(), null, 'one that somebody asks for waits for its end');
select task.canceled(old.id, old.lease, 'stopped') as stopped from old \gset
select is(t.next(), 'evt_' || :'third', 'and then sends');

-- Gone.
select webhook.remove(:'chosen');
select is(t.next(), null, 'for a webhook that was deleted there is nothing to send');
select is((select webhook.report(r.id, r.lease, :third, 200, null) from t.running() as r), 'stale', 'nor to report');

select * from finish();
rollback;
