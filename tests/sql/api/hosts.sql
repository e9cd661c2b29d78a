-- Hosts and exits as an administrator orders and works them, hosts as their users do.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(60);

select t.at('2099-01-01');
update ccp.hosts set created_at = '2000-01-01', wg_public_key = repeat('B', 43) || '=';

-- Exits.
create function t.exit(p_label text, p_key text default null) returns api.egress_ip language sql as $$
    select api.egress_ip_create(
        t.login('boss'), 1, p_label, '198.51.100.2', '198.51.100.2:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.3/32',
        p_idempotency_key => p_key, p_request_sha256 => repeat('a', 64)
    )
$$;
select results_eq(
    $$select e.label::text, e.ip_address::inet, e.status::text, e.wg_allowed_ips::text, e.has_preshared_key, e.host_id from t.exit('exit2', 'k1') as e$$,
    $$values ('exit2', inet '198.51.100.2', 'active', '{0.0.0.0/0}', false, null::uuid)$$, 'an exit is registered'
);
select is(
    t.last_event(), format('info | admin.egress_ip.created | exit exit2 was registered | {"egress_ip_id": "%s"}', id),
    'the audit log has it'
)
from ccp.egress_ips where label = 'exit2';
select is((t.exit('exit2', 'k1')).id, (select id from ccp.egress_ips where label = 'exit2'), 'the same request again shows it');
select is((select status from ccp.idempotency_keys), 201, 'the key keeps the answer''s status');
select throws_ok($$select t.exit('exit2')$$, 'CP409', 'There is already an exit exit2.', 'a label is taken once');
select throws_ok(
    $$select api.egress_ip_create(
        t.login('bobby'), 1, 'x', '198.51.100.2', '198.51.100.2:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.3/32'
    )$$, 'CP403', null, 'only admins register exits'
);
select is((api.egress_ip_get(t.login('boss'), 1, id)).label, 'exit2', 'an admin reads one') from ccp.egress_ips where label = 'exit2';
select throws_ok($$select api.egress_ip_get(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such exit.', 'if there is one');
select throws_ok(format('select api.egress_ip_get(t.login(''bobby''), 1, %L)', id), 'CP403', null, 'and no one else does')
from ccp.egress_ips where label = 'exit2';
select is(api.sealing_key(), null, 'there is no sealing key before an agent has made it');
select setting.put('sealing_key', to_jsonb(repeat('K', 43) || '=')) is null as done \gset
select is(api.sealing_key(), repeat('K', 43) || '=', 'then there is');

-- Ordering a host.
create function t.order(
    p_user text, p_exit text, p_timezone text default 'UTC', p_key text default null, p_image text default null
) returns api.new_host language sql as $$
    select api.host_create(
        t.login('boss'), 1, t.user(p_user), (select id from ccp.egress_ips where label = p_exit), '$y$j9T$' || repeat('a', 60), p_timezone,
        p_image => p_image, p_idempotency_key => p_key, p_request_sha256 => repeat('a', 64)
    )
$$;
select throws_ok($$select t.order('nobody', 'exit2')$$, 'CP422', 'user_id names no user.', 'a host is for a user');
select throws_ok($$select t.order('bobby', 'exit9')$$, 'CP422', 'egress_ip_id names no exit.', 'and leaves through an exit');
select throws_ok($$select t.order('bobby', 'exit2', 'Mars/Olympus')$$, 'CP422', 'timezone names no time zone.', 'its clock is on this world');
select throws_ok($$select t.order('bobby', 'exit1')$$, 'CP409', 'Exit exit1 is bound to another host.', 'one exit, one host');
update ccp.egress_ips set status = 'disabled' where label = 'exit2';
select throws_ok($$select t.order('bobby', 'exit2')$$, 'CP409', 'Exit exit2 is disabled.', 'a disabled exit takes no host');
update ccp.egress_ips set status = 'active' where label = 'exit2';
create temporary table ordered as select * from t.order('bobby', 'exit2', 'Europe/Berlin', 'k2');
select is(
    (select concat_ws(' ', ssh_password, status, status_url = '/v1/admin/tasks/' || task_id) from ordered), ' queued t',
    'the answer has a place for the password, and the task'
);
select results_eq(
    $$select
        h.user_id, h.short_id::text, h.image::text, h.timezone::text, h.ssh_password_hash::text, h.ssh_password_changed_at, h.status::text,
        b.exit_label::text, b.exit_address::inet
    from ccp.hosts as h join ccp.bindings as b on b.host_id = h.id where h.id = (select id from ordered)$$,
    $$select t.user('bobby'), short_id::text, 'cloud-cli-proxy/managed-user:latest', 'Europe/Berlin', '$y$j9T$' || repeat('a', 60),
        timestamptz '2099-01-01', 'pending', 'exit2', inet '198.51.100.2' from ordered$$,
    'the host is there, with its exit and the default image'
);
select results_eq(
    $$select kind::text, status::text, created_by from ccp.task_rows where id = (select task_id from ordered)$$, $$values ('host.create', 'queued', 'postgres')$$,
    'and will be made'
);
select is(
    t.last_event(), format('info | admin.host.action | host %s was ordered | bobby | %s | host.create | {"action": "create"}', short_id, short_id),
    'the audit log has it'
)
from ordered;
select is(
    (select concat_ws(' ', message, user_id = t.user('bobby'), host_id = (select id from ordered)) from ccp.events where type = 'admin.binding.created'),
    format('host %s leaves through exit exit2 t t', short_id), 'and the binding'
)
from ordered;
select is(
    (select concat_ws(' ', o.id = h.id, o.short_id = h.short_id, o.task_id = h.task_id, coalesce(o.ssh_password, 'none'))
    from t.order('bobby', 'exit2', 'Europe/Berlin', 'k2') as o, ordered as h),
    't t t none', 'the same request again shows the same, without the password'
);
select is((select status from ccp.idempotency_keys where key = 'k2'), 202, 'the key keeps the answer''s status');
update ccp.bindings set ended_at = clock.now() where exit_label = 'exit2';
create temporary table other as select * from t.order('bobby', 'exit2', p_image => 'other:1');
select is((select image from ccp.hosts where id = (select id from other)), 'other:1', 'an image may be named');
select task.succeed(task_id, lease, jsonb_build_object('wg_public_key', repeat('B', 43) || '=')) from task.claim(t.agent(), 9);
select throws_ok(
    $$select api.host_create(t.login('bobby'), 1, t.user('bobby'), gen_random_uuid(), 'x')$$, 'CP403', null, 'only admins order hosts'
);
select is((api.host_get(t.login('boss'), 1, t.host())).username, 'alice', 'an admin reads a host');
select throws_ok($$select api.host_get(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such host.', 'if there is one');
select throws_ok($$select api.host_get(t.login('alice'), 1, t.host())$$, 'CP403', null, 'users read only their own');
select is((api.own_host_get(t.login('alice'), 1, t.host())).short_id, 'abcdef', 'which they do');
select throws_ok($$select api.own_host_get(t.login('bobby'), 1, t.host())$$, 'CP404', 'There is no such host.', 'no one else''s');

-- What is asked for a host, once for each key.
create temporary table ref as select * from api.host_task(t.login('boss'), 1, t.host(), 'host.start', p_idempotency_key => 'k3', p_request_sha256 => repeat('a', 64));
select is(
    (select concat_ws(' ', k.kind, r.status, r.status_url = '/v1/admin/tasks/' || r.task_id) from ref as r join ccp.task_rows as k on k.id = r.task_id),
    'host.start queued t', 'an admin starts it'
);
select is(
    t.last_event(), 'info | admin.host.action | host.start was asked for host abcdef | alice | abcdef | host.start | {"action": "start"}',
    'the audit log has it'
);
select t.work();
select is(
    (select concat_ws(' ', r.status, r.task_id = (select task_id from ref)) from api.host_task(t.login('boss'), 1, t.host(), 'host.start', p_idempotency_key => 'k3', p_request_sha256 => repeat('a', 64)) as r),
    'succeeded t', 'the same request again shows its task as it is now'
);
select is((select status from ccp.idempotency_keys where key = 'k3'), 202, 'the key keeps the answer''s status');
select is((select count(*)::integer from ccp.events where type = 'admin.host.action' and message like 'host.start%'), 1, 'and is not written down again');
select is(
    (api.task_get(t.login('boss'), 1, (select task_id from ref))).kind, 'host.start', 'an admin reads the task'
);
select throws_ok($$select api.task_get(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such task.', 'if there is one');
select throws_ok(format('select api.task_get(t.login(''alice''), 1, %L)', task_id), 'CP403', null, 'users read only their own') from ref;
select is((api.own_task_get(t.login('alice'), 1, task_id)).kind, 'host.start', 'which they do') from ref;
select throws_ok(format('select api.own_task_get(t.login(''bobby''), 1, %L)', task_id), 'CP404', 'There is no such task.', 'no one else''s') from ref;
select throws_ok($$select api.host_task(t.login('boss'), 1, gen_random_uuid(), 'host.start')$$, 'CP404', 'There is no such host.', 'an unknown host is not found');
select throws_ok($$select api.host_task(t.login('alice'), 1, t.host(), 'host.start')$$, 'CP403', null, 'that route is for admins');
create temporary table own as select * from api.own_host_task(t.login('alice'), 1, t.host(), 'host.stop', null, 'k4', repeat('a', 64));
select is(
    (select concat_ws(' ', k.kind, r.status, r.status_url = '/v1/user/tasks/' || r.task_id) from own as r join ccp.task_rows as k on k.id = r.task_id),
    'host.stop queued t', 'users have one of their own'
);
select t.work();
select is(
    (select concat_ws(' ', r.status, r.task_id = (select task_id from own)) from api.own_host_task(t.login('alice'), 1, t.host(), 'host.stop', null, 'k4', repeat('a', 64)) as r),
    'succeeded t', 'which knows its keys'
);
select is((select status from ccp.idempotency_keys where key = 'k4'), 202, 'and keeps the answer''s status');
create temporary table again as select * from api.own_host_task(t.login('alice'), 1, t.host(), 'host.rebuild', 'wipe');
select is(
    (select t.kind || ' ' || t.params from ccp.task_rows as t where t.id = (select task_id from again)), 'host.rebuild {"mode": "wipe"}',
    'a user may have the container made again'
);
select task.cancel(task_id, 'x') from again;
select throws_ok($$select api.own_host_task(t.login('bobby'), 1, t.host(), 'host.stop')$$, 'CP404', 'There is no such host.', 'and does nothing for others');
select api.host_task(t.login('boss'), 1, t.host(), 'host.delete', p_wipe => true);
select is((select params::text from ccp.task_rows where kind = 'host.delete'), '{"wipe": "true"}', 'a deletion may remove the home');
select task.cancel(id, 'x') from ccp.task_rows where kind = 'host.delete';

-- The ssh password.
select t.at('2099-01-02');
select is(
    (select concat_ws(' ', p.id = t.host(), p.short_id, coalesce(p.ssh_password, 'none'))
    from api.host_rotate_ssh_password(t.login('boss'), 1, t.host(), '$y$j9T$' || repeat('b', 60), 'k5', repeat('a', 64)) as p),
    't abcdef ', 'an admin changes it'
);
select is(t.last_event(), 'info | key.rotated | the ssh password of host abcdef was changed | alice | abcdef', 'the audit log has it');
select is(
    (select concat_ws(' ', p.short_id, coalesce(p.ssh_password, 'none'))
    from api.host_rotate_ssh_password(t.login('boss'), 1, t.host(), '$y$j9T$' || repeat('c', 60), 'k5', repeat('a', 64)) as p),
    'abcdef none', 'the same request again does not'
);
select results_eq(
    $$select short_id::text, ssh_password_changed_at from ccp.hosts where ssh_password_hash = '$y$j9T$' || repeat('b', 60)$$,
    $$values ('abcdef', timestamptz '2099-01-02')$$, 'of this host and no other'
);
select throws_ok(
    $$select api.host_rotate_ssh_password(t.login('boss'), 1, gen_random_uuid(), 'x')$$, 'CP404', 'There is no such host.', 'an unknown host has none'
);
select throws_ok($$select api.host_rotate_ssh_password(t.login('alice'), 1, t.host(), 'x')$$, 'CP403', null, 'that route is for admins');
select is(
    (select concat_ws(' ', p.short_id, coalesce(p.ssh_password, 'none'))
    from api.own_host_rotate_ssh_password(t.login('alice'), 1, t.host(), '$y$j9T$' || repeat('d', 60), 'k6', repeat('a', 64)) as p),
    'abcdef ', 'users have one of their own'
);
select is(
    (select concat_ws(' ', p.short_id, coalesce(p.ssh_password, 'none'))
    from api.own_host_rotate_ssh_password(t.login('alice'), 1, t.host(), '$y$j9T$' || repeat('e', 60), 'k6', repeat('a', 64)) as p),
    'abcdef none', 'which knows its keys'
);
select is((select string_agg(key || ' ' || status, ', ' order by key) from ccp.idempotency_keys where key in ('k5', 'k6')), 'k5 200, k6 200', 'both keep the status');
select is(t.last_event(), 'info | key.rotated | the ssh password of host abcdef was changed | alice | abcdef', 'it is written down too');
select is((select count(*)::integer from ccp.events where type = 'key.rotated'), 2, 'each change once');
select results_eq(
    $$select short_id::text, ssh_password_changed_at from ccp.hosts where ssh_password_hash = '$y$j9T$' || repeat('d', 60)$$,
    $$values ('abcdef', timestamptz '2099-01-02')$$, 'the host has the new one'
);

select * from finish();
rollback;
