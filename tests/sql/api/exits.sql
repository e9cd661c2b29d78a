-- Exits and hosts as an administrator edits, binds and deletes them; the same through functions in psql.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(66);

select t.at('2099-01-01');
create function t.exit() returns uuid language sql security definer as $$ select id from ccp.egress_ips where label like 'exit1%' $$;
create function t.binding() returns uuid language sql security definer as $$ select id from ccp.bindings where ended_at is null $$;
create function t.count(p_type text) returns bigint language sql security definer as $$
    select count(*) from ccp.events where type = p_type
$$;

-- PATCH.
select is((api.egress_ip_update(t.login('boss'), 1, t.exit(), p_label => 'exit1b', p_provider => 'someone')).label, 'exit1b', 'an exit has another label');
select is(
    t.last_event(), format('info | admin.egress_ip.updated | exit exit1 was changed: label, provider | {"changed": ["label", "provider"], "egress_ip_id": "%s"}', t.exit()),
    'which is an event'
);
select is((select exit_label from ccp.bindings), 'exit1b', 'the user sees the new label');
select is((api.egress_ip_update(t.login('boss'), 1, t.exit(), p_wg_mtu => 1400)).provider, 'someone', 'what is absent stays');
select is((api.egress_ip_update(t.login('boss'), 1, t.exit(), p_nulls => '{provider}')).provider, null, 'what is null goes');
select is((api.egress_ip_update(t.login('boss'), 1, t.exit(), p_wg_preshared_key_sealed => repeat('A', 108))).has_preshared_key, true, 'a key is set');
select is((api.egress_ip_update(t.login('boss'), 1, t.exit(), p_status => 'disabled')).has_preshared_key, true, 'stays');
select is((api.egress_ip_update(t.login('boss'), 1, t.exit(), p_nulls => '{wg_preshared_key}')).has_preshared_key, false, 'and is removed');
select is(t.count('admin.egress_ip.updated'), 6::bigint, 'each of which was an event');
select is((api.egress_ip_update(t.login('boss'), 1, t.exit(), p_wg_mtu => 1400)).version, '7', 'what changes nothing makes no new version');
select is(t.count('admin.egress_ip.updated'), 6::bigint, 'and no event');
select throws_ok($$select api.egress_ip_update(t.login('boss'), 1, t.exit(), p_wg_mtu => 1300, p_if_match => '6')$$, 'CP412', null, 'an old version is not edited');
select lives_ok($$select api.egress_ip_update(t.login('boss'), 1, t.exit(), p_wg_mtu => 1420, p_status => 'active', p_if_match => '7')$$, 'the present one is');
select throws_ok($$select api.egress_ip_update(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such exit.', 'if there is one');
select throws_ok($$select api.egress_ip_update(t.login('alice'), 1, t.exit())$$, 'CP403', null, 'and by an admin');
select throws_ok($$select api.egress_ip_update(t.login('boss'), 1, t.exit(), p_nulls => '{ip_address}')$$, '23502', null, 'an exit has an address');
insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address)
values ('exit2', '198.51.100.2', '198.51.100.2:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.3/32');
select throws_ok($$select api.egress_ip_update(t.login('boss'), 1, t.exit(), p_label => 'exit2')$$, 'CP409', 'There is already an exit exit2.', 'a label is taken once');

-- PUT.
create function t.put(p_key text default null, p_nulls text[] default '{}') returns api.egress_ip language sql as $$
    select api.egress_ip_replace(
        t.login('boss'), 1, t.exit(), 'exit1', '198.51.100.9', '198.51.100.1:51820', repeat('A', 43) || '=', '198.51.100.53',
        '10.9.0.2/32', p_wg_preshared_key_sealed => p_key, p_nulls => p_nulls
    )
$$;
update ccp.egress_ips set provider = 'someone', wg_mtu = 1300, wg_allowed_ips = '{10.0.0.0/8}' where id = t.exit();
select results_eq(
    $$select e.label::text, e.ip_address::inet, e.provider::text, e.wg_mtu::integer, e.wg_allowed_ips, e.status::text from t.put(repeat('B', 108)) as e$$,
    $$values ('exit1', inet '198.51.100.9', null, null::integer, array['0.0.0.0/0'], 'active')$$, 'written as a whole, what is absent is as at first'
);
select is((select exit_address from ccp.bindings), '198.51.100.9', 'the user sees the new address');
select is((t.put()).has_preshared_key, true, 'but for the key, which no client can know');
select is((t.put(null, '{wg_preshared_key}')).has_preshared_key, false, 'unless it is null');

-- While the host is not at rest.
select t.ask('host.start');
select throws_ok(
    $$select api.egress_ip_update(t.login('boss'), 1, t.exit(), p_label => 'exit1x', p_wg_mtu => 1300)$$, 'CP409',
    'Exit exit1 carries host abcdef, of which a task is under way: change it when that has ended.',
    'the tunnel of a host that starts stays'
);
select t.work();
create function t.moved(p_change text) returns text language plpgsql as $$
begin
    execute format('select api.egress_ip_update(t.login(''boss''), 1, t.exit(), %s)', p_change);
    perform t.work();
    return (select count(*) from ccp.task_rows where kind = 'host.switch' and status = 'succeeded');
end
$$;
select is(t.moved(c.change), c.nth::text, 'one that runs is moved: ' || c.change)
from unnest(array[
    'p_ip_address => ''198.51.100.8''', 'p_wg_endpoint => ''198.51.100.1:1''', 'p_wg_public_key => repeat(''B'', 43) || ''=''',
    'p_wg_dns_server => ''198.51.100.54''', 'p_wg_peer_address => ''10.9.0.9/32''', 'p_wg_allowed_ips => ''{10.0.0.0/8}''',
    'p_wg_preshared_key_sealed => repeat(''A'', 108)', 'p_ip_address => ''198.51.100.9'''
]) with ordinality as c (change, nth);
select is((api.egress_ip_update(t.login('boss'), 1, t.exit(), p_status => 'disabled', p_provider => 'x', p_wg_mtu => null)).status, 'disabled', 'it can be disabled');
select throws_ok($$select api.egress_ip_delete(t.login('boss'), 1, t.exit())$$, 'CP409', 'Exit exit1 is bound to host abcdef: unbind it first.', 'what is bound is not deleted');
select throws_ok($$select api.binding_delete(t.login('boss'), 1, t.binding())$$, 'CP409', 'Host abcdef is running: stop it first.', 'nor unbound while its host runs');
update ccp.hosts set status = 'unavailable';
select throws_ok($$select api.binding_delete(t.login('boss'), 1, t.binding())$$, 'CP409', 'Host abcdef is unavailable: stop it first.', 'or may run again');
select t.ask('host.stop');
select t.work();

-- Unbind, bind.
select throws_ok($$select api.binding_delete(t.login('alice'), 1, t.binding())$$, 'CP403', null, 'bindings are for admins');
select throws_ok($$select api.binding_delete(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such binding.', 'that are there');
create temporary table first as select t.binding() as id;
select lives_ok($$select api.binding_delete(t.login('boss'), 1, id) from first$$, 'a stopped host loses its exit');
select is(
    t.last_event(), format('info | admin.binding.deleted | host abcdef leaves through exit exit1 no more | alice | abcdef | {"egress_ip_id": "%s"}', t.exit()),
    'which is an event'
);
select throws_ok($$select api.binding_delete(t.login('boss'), 1, id) from first$$, 'CP404', null, 'once');
create function t.bind(p_exit uuid default t.exit(), p_key text default null) returns api.binding language sql as $$
    select api.binding_create(t.login('boss'), 1, t.host(), p_exit, p_key, repeat('a', 64))
$$;
select throws_ok('select t.bind()', 'CP409', 'Exit exit1 is disabled.', 'a disabled exit takes no host');
update ccp.egress_ips set status = 'active';
update ccp.hosts set failures = 3, retry_at = 'infinity', desired = 'running';
select results_eq(
    $$select b.host_short_id, b.exit_label, b.exit_address, b.id = t.binding() from t.bind(t.exit(), 'k') as b$$,
    $$values ('abcdef', 'exit1', inet '198.51.100.9', true)$$, 'a host has an exit again'
);
select is((select count(*) from ccp.events where type = 'admin.binding.created'), 1::bigint, 'which is an event');
select is(t.status(), 'starting', 'and begins what it waited for');
select is((select failures from ccp.hosts), 0, 'without its failures');
select is((t.bind(t.exit(), 'k')).id, t.binding(), 'the same request is answered the same');
select throws_ok($$select t.bind()$$, 'CP409', 'Host abcdef has an exit: unbind it first.', 'a host has one exit');
select throws_ok($$select t.bind(gen_random_uuid())$$, 'CP422', null, 'that is there');
select throws_ok($$select api.binding_create(t.login('boss'), 1, gen_random_uuid(), t.exit())$$, 'CP422', null, 'as the host is');
select throws_ok($$select api.binding_create(t.login('alice'), 1, t.host(), t.exit())$$, 'CP403', null, 'bindings are for admins');
insert into ccp.hosts (short_id, user_id, node_id, image) select 'second', user_id, node_id, 'image' from ccp.hosts;
select throws_ok(
    format('select api.binding_create(t.login(''boss''), 1, %L, t.exit())', id), 'CP409', 'Exit exit1 is bound to another host.', 'an exit goes to one host'
) from ccp.hosts where short_id = 'second';
update ccp.hosts set desired = 'absent' where short_id = 'second';
select throws_ok(
    format('select host.bind(%L, e.id) from ccp.egress_ips as e where label = ''exit2''', id), 'CP409', 'Host second is being deleted.', 'one that goes gets none'
) from ccp.hosts where short_id = 'second';

-- Deleted.
select lives_ok($$select api.egress_ip_delete(t.login('boss'), 1, id) from ccp.egress_ips where label = 'exit2'$$, 'an exit that is not bound is deleted');
select alike(t.last_event(), 'info | admin.egress_ip.deleted | exit exit2 was deleted | %"ip_address": "198.51.100.2"%', 'which is an event');
select throws_ok($$select api.egress_ip_delete(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', null, 'one that is not there is not');
select throws_ok($$select api.egress_ip_delete(t.login('alice'), 1, t.exit())$$, 'CP403', null, 'and by admins only');
update ccp.bindings set ended_at = clock.now() where ended_at is null;
select api.egress_ip_delete(t.login('boss'), 1, t.exit());
select is((select count(*) from ccp.bindings where egress_ip_id is null and exit_label = 'exit1'), 2::bigint, 'what it was used for is told on');
select throws_ok($$select egress.edit(t.exit(), '{"id": null, "x": 1}')$$, 'CP422', 'An exit has nothing to change that is called x, id.', 'a DBA names columns that there are');

-- Hosts.
create function t.edit(p_memory integer default null, p_image text default null, p_label text default null, p_nulls text[] default '{}')
returns text language sql as $$
    select coalesce((api.host_update(
        t.login('boss'), 1, t.host(), p_label, p_image, p_memory_limit_mb => p_memory, p_nulls => p_nulls
    )).applies, '-')
$$;
select is(t.edit(2048, 'other', 'mine'), 'With the next start: memory_limit_mb. With the next rebuild: image.', 'a host is changed, and it is said when');
select is(
    t.last_event(),
    'info | admin.host.action | host abcdef was changed: image, label, memory_limit_mb | alice | abcdef | '
    '{"action": "edit", "changed": ["image", "label", "memory_limit_mb"]}', 'which is an event'
);
select is(t.edit(2048, p_nulls => '{label}'), '-', 'a label is removed at once');
select is((select concat_ws(' ', label, image, memory_limit_mb, version) from ccp.hosts where id = t.host()), 'other 2048 3', 'what is absent stays');
select throws_ok($$select api.host_update(t.login('boss'), 1, t.host(), p_timezone => 'Mars/Base')$$, 'CP422', null, 'a time zone is one');
select throws_ok($$select api.host_update(t.login('boss'), 1, t.host(), p_sudo => false, p_if_match => '2')$$, 'CP412', null, 'an old version is not edited');
select throws_ok($$select api.host_update(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', null, 'one that is not there is not');
select throws_ok($$select api.host_update(t.login('alice'), 1, t.host())$$, 'CP403', null, 'and by admins only');
select throws_ok($$select host.edit(t.host(), '{"status": "running"}')$$, 'CP422', 'A host has nothing to change that is called status.', 'a status is not edited');

select * from finish();
rollback;
