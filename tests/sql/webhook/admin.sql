-- Webhooks: made, changed, deleted, listed; where they go; what becomes of their deliveries.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(66);

select t.at('2099-01-01 12:00:00');
create function t.sealed(p_letter text default 'A') returns text language sql as $$ select repeat(p_letter, 132) $$;
create function t.make(p_url text, p_key text default null) returns api.new_webhook language sql as $$
    select * from api.webhook_create(t.login('boss'), 1, 'one', p_url, t.sealed(), '{host.started}', 'active', p_key, repeat('a', 64))
$$;

-- Made.
create temporary table made as select * from t.make('https://hooks.example/secret', 'k1');
grant select on made to public;
select results_eq(
    'select label, url, event_types::text, status::text, version, secret from made',
    $$values ('one'::text, 'https://hooks.example/secret'::text, '{host.started}', 'active', '1'::text, ''::text)$$,
    'it is shown, with a place for the secret'
);
select is(
    t.last_event(),
    format('info | admin.webhook.created | webhook one was made | {"webhook_id": "%s", "event_types": ["host.started"]}', id),
    'the audit log has it, without its URL'
)
from made;
select results_eq(
    $$select id, secret from t.make('https://hooks.example/secret', 'k1')$$, 'select id, null::text from made',
    'the same request again shows it without the secret'
);
select is((select count(*)::integer from ccp.webhooks), 1, 'and makes no other');
select throws_ok(
    $$select api.webhook_create(t.login('bobby'), 1, 'x', 'https://x.example/', t.sealed())$$, 'CP403', null, 'only admins make one'
);
select throws_ok($$select webhook.add('x', 'https://x.example/', 'whsec_open')$$, '23514', null, 'a secret that is not sealed is refused');
select throws_ok($$select webhook.add('x', 'https://x.example/', t.sealed(), '{}')$$, '23514', null, 'types are given or not');
insert into ccp.webhooks (label, url, secret_sealed, created_at)
select 'many', 'https://m.example/', t.sealed(), clock.now() - n * interval '1 s' from generate_series(1, 30) as n;
select lives_ok($$select webhook.add('last', 'https://x.example/', t.sealed())$$, 'there may be 32');
select throws_ok(
    $$select webhook.add('x', 'https://x.example/', t.sealed())$$, 'CP409', 'There are 32 webhooks, which is as many as may be.', 'and no more'
);

-- Where to.
select lives_ok(format('select %L::ccp.webhook_url', url), 'a URL: ' || url)
from (
    values ('http://hooks.example'), ('https://hooks.example:8443/a?b=c'), ('https://[2001:db8::1]/'), ('http://198.51.100.7/x'),
        ('https://hooks.example?x')
) as u (url);
select throws_ok(format('select %L::ccp.webhook_url', url), '23514', null, 'not one: ' || url)
from (
    values ('ftp://hooks.example/'), ('https://a:b@hooks.example/'), ('https://hooks.example/a b'), ('https://hooks.example#x'),
        ('file:///etc/passwd'), ('https://hooks.example\@10.0.0.1/'), ('https:///x'), ('https://x.example/' || repeat('a', 2000))
) as u (url);
select is(webhook.address_refusal('198.51.100.7'), null, 'an address of the internet is one to go to');
select is(webhook.address_refusal('2a00::1'), null, 'so is one of IPv6');
select is(
    (select string_agg(a, ' ') from unnest(array[
        '127.0.0.1', '127.255.255.255', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '0.0.0.0',
        '100.64.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', '::ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1',
        '2002:7f00:1::', '2001:0:7f00:1::', 'fc00::1', 'fd12::1', 'fe80::1', 'fec0::1', 'ff02::1'
    ]) as a where webhook.address_refusal(a::inet) is null), null, 'none of the others is'
);
select is(
    (select string_agg(a, ' ') from unnest(array['172.15.0.1', '172.32.0.1', '100.128.0.1', '11.0.0.1', '128.0.0.1']) as a
    where webhook.address_refusal(a::inet) is not null), null, 'their neighbours are'
);
select is(
    webhook.address_refusal('::1'),
    '::1 is a loopback address, where webhooks go only if the setting webhook_networks allows it', 'the smallest network is named'
);
select throws_ok(
    $$select t.make('http://127.0.0.1:8080/x')$$, 'CP422',
    'url must not be this: 127.0.0.1 is a loopback address, where webhooks go only if the setting webhook_networks allows it.',
    'an address in a URL is judged at once'
);
select throws_ok($$select t.make('http://[::ffff:10.0.0.1]/')$$, 'CP422', null, 'in any form');
select throws_ok($$select t.make('http://2130706433/')$$, 'CP422', 'url must not be this: 2130706433 is not an address.', 'that is one');
select throws_ok(
    $$select webhook.edit(id, '{"url": "https://169.254.169.254/latest"}') from made$$, 'CP422', null, 'also in a change'
);
select setting.put('webhook_networks', '["127.0.0.0/8", "fd00::/8"]');
select is(webhook.address_refusal('127.0.0.1'), null, 'a setting allows a network');
select is(webhook.address_refusal('fd00::7'), null, 'or several');
select isnt(webhook.address_refusal('10.0.0.1'), null, 'and no other');
select isnt(webhook.address_refusal('::ffff:127.0.0.1'), null, 'nor another form of it');
select lives_ok(format('select webhook.edit(%L, %L)', id, '{"url": "http://127.0.0.1:8080/x"}'), 'then a URL may name it') from made;

-- Changed.
select is(
    (select version from api.webhook_update(t.login('boss'), 1, (select id from made), p_label => 'two', p_if_match => '2')), '3',
    'a change raises the version'
);
select is(
    t.last_event(), format('info | admin.webhook.updated | webhook one was changed: label | {"changed": ["label"], "webhook_id": "%s"}', id),
    'the audit log says what was changed'
)
from made;
select throws_ok(
    $$select api.webhook_update(t.login('boss'), 1, (select id from made), p_label => 'x', p_if_match => '2')$$, 'CP412', null, 'a stale one is refused'
);
select is(
    (select event_types from api.webhook_update(t.login('boss'), 1, (select id from made), p_nulls => '{event_types}')), null,
    'null is all types'
);
select is((api.webhook_update(t.login('boss'), 1, (select id from made), p_label => 'two')).version, '4', 'the same again changes nothing');
select throws_ok(
    $$select webhook.edit(id, '{"secret_sealed": "x"}') from made$$, 'CP422', 'A webhook has nothing to change that is called secret_sealed.',
    'what is not to be changed so is named'
);
select throws_ok($$select api.webhook_update(t.login('bobby'), 1, (select id from made))$$, 'CP403', null, 'only admins change one');
select is(
    (select secret from api.webhook_rotate_secret(t.login('boss'), 1, (select id from made), t.sealed('B'), 'k2', repeat('a', 64))), '',
    'another secret has a place in the answer'
);
select is((select secret_sealed from ccp.webhooks where label = 'two'), t.sealed('B'), 'it is stored');
select is(
    (select secret from api.webhook_rotate_secret(t.login('boss'), 1, (select id from made), t.sealed('C'), 'k2', repeat('a', 64))), null,
    'the same request again changes nothing'
);
select is((select secret_sealed from ccp.webhooks where label = 'two'), t.sealed('B'), 'and stores nothing');

-- A change is tried at once.
select webhook.dispatch();
select task.claim(t.worker(), 1) is null as claimed \gset
select task.fail(id, lease, 'not_delivered', 'x', true) as failed from ccp.task_rows where kind = 'webhook.deliver' and status = 'running' \gset
select webhook.edit(id, '{"url": "https://hooks.example/b"}') from made;
select is((select status::text from ccp.task_rows where kind = 'webhook.deliver' and params ->> 'webhook_id' = made.id::text), 'canceled', 'the wait for the next try ends')
from made;
select clock.tick('worker');
select is(
    (select run_at = clock.now() from ccp.task_rows where kind = 'webhook.deliver' and params ->> 'webhook_id' = made.id::text and status = 'queued'), true,
    'and it comes now'
)
from made;

-- Listed.
select is(cardinality((api.webhook_list(t.login('boss'), 1)).webhooks), 32, 'a list has them');
select is((select w.label::text from unnest((api.webhook_list(t.login('boss'), 1, p_sort => 'created_at', p_limit => 1)).webhooks) as w), 'many', 'in its order');
select throws_ok($$select api.webhook_list(t.login('bobby'), 1)$$, 'CP403', null, 'for admins');
select isnt((api.webhook_get(t.login('boss'), 1, id)).waiting_since, null, 'one tells since when something waits') from made;
select throws_ok($$select api.webhook_get(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', null, 'one that is not there is not found');
select is(
    (select string_agg(d.type, ' ') from unnest((api.webhook_delivery_list(t.login('boss'), 1, id, p_sort => 'created_at', p_limit => 2)).deliveries) as d),
    'admin.webhook.updated admin.webhook.secret_rotated', 'what waits is listed'
)
from made;
select is(
    cardinality((api.webhook_delivery_list(t.login('boss'), 1, id, 'delivered')).deliveries), 0, 'apart from what was taken'
)
from made;
select is(
    (api.webhook_delivery_list(t.login('boss'), 1, id, 'waiting', p_limit => 200)).deliveries,
    (api.webhook_delivery_list(t.login('boss'), 1, id, p_limit => 200)).deliveries, 'here all of it'
)
from made;

-- Deleted.
select lives_ok($$select api.webhook_delete(t.login('boss'), 1, id) from made$$, 'it is deleted');
select is((select count(*)::integer from ccp.task_rows where kind = 'webhook.deliver' and params ->> 'webhook_id' = made.id::text and status = 'queued'), 0, 'and its task canceled')
from made;
select throws_ok($$select api.webhook_delete(t.login('boss'), 1, id) from made$$, 'CP404', 'There is no such webhook.', 'once');
select t.at('2099-06-01 12:00:00');
select event.retain(100000) is null as retained \gset
select is((select count(*)::integer from ccp.webhook_deliveries where created_at < '2099-02-01'), 0, 'deliveries go with their age');

-- The worker's key.
select is(webhook.set_sealing_key(repeat('A', 43) || '='), 'ok', 'the worker stores its key');
select is(webhook.set_sealing_key(repeat('A', 43) || '='), 'ok', 'the same again is the same');
select is(webhook.set_sealing_key(repeat('B', 43) || '='), 'other', 'another is told that there is one');
select is(api.webhook_sealing_key(), repeat('A', 43) || '=', 'and changes nothing');
select throws_ok($$select webhook.set_sealing_key('short')$$, '23514', null, 'only a key is a key');

select * from finish();
rollback;
