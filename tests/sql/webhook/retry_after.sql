-- A receiver that asks for it is left alone for a time, which has a bound, and nothing of its queue is sent so long.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(26);

select t.at('2099-01-01 12:00:00');
create function t.event() returns bigint language sql security definer as $$
    select event.write('host.started', 'something happened', t.user('alice'), t.host(), null, '{}')
$$;
create function t.running() returns ccp.task_rows language sql as $$
    select * from ccp.task_rows where status = 'running' and queue = 'ccp_worker' order by lease desc limit 1
$$;
-- The worker's part: what there is to claim, what it is to send; how that went.
create function t.next() returns text language sql as $$
    select clock.tick('worker');
    select task.claim(t.worker(), 1);
    select n.message_id from t.running() as r, webhook.next(r.id, r.lease) as n
$$;
create function t.report(p_status integer, p_retry_after_s bigint) returns text language sql as $$
    select webhook.report(
        r.id, r.lease, n.event_id, p_status, case when p_status >= 300 then 'the receiver answers ' || p_status end, p_retry_after_s
    )
    from t.running() as r, webhook.next(r.id, r.lease) as n
$$;
create function t.ends() returns text language sql as $$ select task.succeed(r.id, r.lease, '{}') from t.running() as r $$;
-- How long it is still left alone.
create function t.left() returns interval language sql as $$ select retry_at - clock.now() from api.webhook $$;

select webhook.add('hook', 'https://hooks.example/a', repeat('A', 132), '{host.started}') as hook \gset
select t.event() as first \gset
select t.event() as second \gset
select is(t.next(), 'evt_' || :'first', 'there is something to send');
select is(t.report(429, 90), 'again', 'the receiver wants to be left alone');
select is(t.left(), interval '90 seconds', 'for so long');
select is(t.next(), null, 'nothing is sent to it, not by this task');
select is(
    (select why from ccp.webhook_status),
    'webhook hook has asked to be left alone for another 90 s, then it is sent what waits: the receiver answers 429', 'people read why'
);
select is(task.fail((t.running()).id, (t.running()).lease, 'not_delivered', 'x', true), 'retry', 'the task is tried again');
select t.at('2099-01-01 12:00:02');
select is(t.next(), null, 'and finds nothing to do');
select is(t.ends(), 'ok', 'so that it ends');
select t.at('2099-01-01 12:01:29.9');
select is(t.next(), null, 'nor is there another task');
select is((t.running()).id, null, 'at all');
select t.at('2099-01-01 12:01:30');
select is(t.left(), null, 'when the time is over');
select is(t.next(), 'evt_' || :'first', 'it is sent what waits, in order');
select is(t.report(204, 90), 'ok', 'it takes it');
select is(t.left(), null, 'what it says then is nothing to wait for');
select is(t.next(), 'evt_' || :'second', 'and the next at once');

-- Bounds.
select is(t.report(503, 3600), 'again', 'an hour');
select is(t.left(), interval '1 hour', 'may be asked for');
update ccp.webhooks set retry_at = null;
select is(t.report(503, 9000000000000000000), 'again', 'more');
select is(t.left(), interval '1 hour', 'is an hour');
update ccp.webhooks set retry_at = null;
select is(t.report(503, 0) || t.report(500, 60) || t.report(429, null), 'againagainagain', 'no time, another status, nothing said');
select is(t.left(), null, 'are nothing to wait for');

-- Mended.
select is(t.report(503, 600), 'again', 'one that wants to be left alone');
select webhook.edit(:'hook', '{"label": "other"}');
select is(t.left(), interval '10 minutes', 'and gets another name still does');
select webhook.edit(:'hook', '{"url": "https://hooks.example/b"}');
select is(t.left(), null, 'one that gets another address is tried at once');
select is((select count(*)::integer from ccp.events where type = 'webhook.restored'), 0, 'it never was failing');
select is(t.next(), 'evt_' || :'second', 'the queue is as it was');

select * from finish();
rollback;
