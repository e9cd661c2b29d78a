-- Two webhooks, their tasks and their tests do not get in each other's way.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(31);

select t.at('2099-01-01 12:00:00');
create function t.add(p_label text) returns uuid language sql as $$
    select webhook.add(p_label, 'https://hooks.example/' || p_label, repeat('A', 132), '{host.started}')
$$;
create function t.hook(p_label text) returns uuid language sql as $$ select id from ccp.webhooks where label = p_label $$;
create function t.event() returns bigint language sql security definer as $$
    select event.write('host.started', 'something happened')
$$;
create function t.task(p_label text, p_kind text default 'webhook.deliver') returns ccp.task_rows language sql as $$
    select * from ccp.task_rows
    where kind = p_kind and params ->> 'webhook_id' = t.hook(p_label)::text and status in ('queued', 'running')
$$;
create function t.next(p_label text, p_kind text default 'webhook.deliver') returns text language sql as $$
    select string_agg(n.message_id, ' ') from t.task(p_label, p_kind) as k, webhook.next(k.id, k.lease) as n
$$;
create function t.report(p_label text, p_error text default null) returns text language sql as $$
    select webhook.report(k.id, k.lease, n.event_id, case when p_error is null then 200 end, p_error)
    from t.task(p_label) as k, webhook.next(k.id, k.lease) as n
$$;
create function t.events(p_type text) returns integer language sql as $$ select count(*)::integer from ccp.events where type = p_type $$;
create function t.tried(p_label text) returns text language sql as $$
    select string_agg(concat_ws(' ', d.attempts, d.first_tried_at is not null), ', ' order by d.event_id)
    from ccp.webhook_deliveries as d where d.webhook_id = t.hook(p_label)
$$;

select t.add('one') as one, t.add('two') as two \gset
select t.event() as first, t.event() as second \gset
select webhook.dispatch();
select count(*) as claimed from task.claim(t.worker(), 2) \gset
select is(t.next('one'), 'evt_' || :'first', 'one has its first');
select is(t.next('two'), 'evt_' || :'first', 'and so has two, whose task was claimed after it');
select is((select count(*)::integer from t.task('one') as k, webhook.next(k.id, k.lease - 1)), 0, 'an earlier claim has nothing to send');
select is((select count(*)::integer from t.task('one') as k, t.task('two') as j, webhook.next(k.id, j.lease)), 0, 'nor has another''s');
select is((select webhook.report(k.id, j.lease, :first, 200, null) from t.task('one') as k, t.task('two') as j), 'stale', 'nor to report');
select is(t.report('one'), 'ok', 'one takes it');
select is(t.tried('two'), '0 f, 0 f', 'which is nothing to two');
select is(t.report('two', 'no answer'), 'again', 'two does not');
select is(t.report('one', 'no answer'), 'again', 'one stops at the second');
select is(t.tried('one'), '1 t, 1 t', 'both were tried');

-- Tests beside tasks.
select (webhook.test(:'one')).id as test \gset
select is((webhook.test(:'one')).id, :'test', 'a test that waits is the same test');
select count(*) as claimed from task.claim(t.worker(), 1) \gset
select is(t.next('one', 'webhook.test'), 'test_' || :'test', 'a test sends its own message and no other');
select is(t.next('one'), 'evt_' || :'second', 'and the task goes on beside it');
select task.fail(id, lease, 'not_delivered', 'no answer', true) as said from t.task('one') \gset
select webhook.dispatch();
select count(*) as claimed from task.claim(t.worker(), 1) \gset
select is((select status::text from t.task('one')), 'queued', 'what waits for its next try is not asked for twice');
select t.at('2099-01-01 12:00:01');
select count(*) as claimed from task.claim(t.worker(), 1) \gset
select is(t.next('one'), 'evt_' || :'second', 'a test that runs holds up no task');
select task.succeed(id, lease, '{}') as said from t.task('one', 'webhook.test') \gset
select (webhook.test(:'one')).id as test \gset
select task.fail(id, lease, 'not_delivered', 'no answer', true) as said from t.task('one') \gset

-- Changed.
select webhook.edit(:'one', '{"url": "https://hooks.example/elsewhere"}');
select is((select status::text from t.task('one', 'webhook.test')), 'queued', 'a change ends no test that waits');
select is((select status::text from t.task('one')), null, 'but the wait for the next try');
select is(t.tried('one'), '1 t, 1 f', 'whose day begins again, not that of what was taken');
select is(t.tried('two'), '1 t, 0 f', 'nor that of two');
select is(t.events('webhook.restored'), 0, 'it was not failing');
select webhook.give_up(w, 'no answer') from ccp.webhooks as w where w.label = 'one';
select webhook.give_up(w, 'once more') from ccp.webhooks as w where w.label = 'one';
select is((select failing_reason::text from ccp.webhooks where label = 'one'), 'no answer', 'it fails once');
select is(t.events('webhook.failing'), 1, 'which is told once');
select webhook.rotate_secret(:'one', repeat('B', 132));
select is((select status::text from api.webhook where label = 'one'), 'active', 'another secret is a change too');
select is(t.events('webhook.restored'), 1, 'which is told');

-- Switched off.
select webhook.edit(:'one', '{"status": "disabled"}');
select is((select status::text from api.webhook where label = 'one'), 'disabled', 'it is disabled');
select webhook.dispatch();
select is((select status::text from t.task('one')), null, 'what waited is not sent');
select t.event() as third \gset
select is(t.tried('one'), '1 t, 1 f', 'what happens is not queued');
select webhook.edit(:'one', '{"status": "active"}');
select webhook.dispatch();
select is((select status::text from t.task('one')), 'queued', 'switched on it goes on with what waited');
select webhook.remove(:'one');
select is(t.last_event(), format('info | admin.webhook.deleted | webhook one was deleted | {"webhook_id": "%s"}', :'one'), 'its end is told');
select is((select status::text from t.task('two')), 'running', 'two does not mind');

select webhook.set_sealing_key(repeat('A', 43) || '=') as said \gset
select is((select updated_at from ccp.settings where name = 'webhook_sealing_key'), clock.now(), 'the key has its time');

select * from finish();
rollback;
