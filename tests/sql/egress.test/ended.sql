-- What becomes of a test: its verdict, what that says of the exit, and what is kept.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(35);

insert into ccp.egress_ips (label, ip_address, tunnel_type, proxy_config, dns_server)
values ('proxy', '198.51.100.3', 'proxy', '{"type": "socks", "server": "198.51.100.3", "server_port": 1080}', '198.51.100.53');
create function t.exit() returns uuid language sql security definer as $$ select id from ccp.egress_ips where label = 'proxy' $$;
create function t.state() returns text language sql as $$ select state from api.egress_ip where label = 'proxy' $$;
create function t.begin(p_at text default null) returns uuid language plpgsql as $$
declare
    v_id uuid;
begin
    if p_at is not null then
        perform t.at(('2099-01-01 ' || p_at)::timestamptz);
    end if;
    v_id := (task.enqueue('egress.test', null, jsonb_build_object('egress_ip_id', t.exit()))).id;
    perform t.claim();
    return v_id;
end
$$;
create function t.verdict(p_at text, p_outcome text, p_code text default null, p_ip text default null) returns text
language plpgsql as $$
declare
    v_id uuid := t.begin(p_at);
begin
    perform task.succeed(id, lease, jsonb_strip_nulls(jsonb_build_object(
        'outcome', p_outcome, 'error_code', p_code, 'message', 'because ' || p_code, 'exit_ip', p_ip, 'duration_ms', 321,
        'host_id', t.host(),
        'checks', '[{"name": "exit_ip", "outcome": "passed", "ms": 1.5, "detail": "seen"}]'::jsonb
    )))
    from ccp.task_rows
    where id = v_id;
    return t.state();
end
$$;
create function t.newest() returns ccp.exit_tests language sql as $$
    select * from ccp.exit_tests order by created_at desc, id desc limit 1
$$;

-- A verdict.
select is(t.state(), 'available', 'an exit that nobody uses is available');
select is(t.verdict('10:00', 'passed', null, '198.51.100.3'), 'available', 'one that passes too');
select results_eq(
    $$select outcome::text, error_code::text, message::text, exit_ip, duration_ms, ended_at from t.newest()$$,
    $$values ('passed', null::text, null::text, '198.51.100.3'::inet, 321, '2099-01-01 10:00'::timestamptz)$$, 'what was found is kept'
);
select is(
    t.last_event(),
    format(
        'info | egress.test.passed | exit proxy passed its test | egress.test | {"outcome": "passed", "error_code": null, "egress_ip_id": "%s"}',
        t.exit()
    ),
    'and told'
);
select is((select status from ccp.task_rows where id = (t.newest()).id), 'succeeded', 'the task has done its work');
select is((t.newest()).host_id, t.host(), 'and through whose tunnel');
select is(t.verdict('10:01', 'failed', 'proxy_unreachable'), 'degraded', 'a failure after a pass');
select is((select status from ccp.task_rows where id = (t.newest()).id), 'succeeded', 'is a task''s work too');
select is((t.newest()).message, 'because proxy_unreachable', 'and says why');
select is(
    (select concat_ws(' ', level, message) from ccp.events where type = 'egress.test.failed'),
    'warning exit proxy failed its test: because proxy_unreachable', 'in the audit log too'
);
select is(t.verdict('10:02', 'failed', 'exit_mismatch', '198.51.100.9'), 'down', 'the second one tells: it is down');
select is((t.newest()).exit_ip, '198.51.100.9'::inet, 'the address that was seen instead');
select is(t.verdict('10:03', 'inconclusive', 'inconclusive'), 'down', 'what shows nothing does not bring it back');
select is(
    (select message from ccp.events where type = 'egress.test.failed' order by id desc limit 1),
    'a test of exit proxy showed nothing: because inconclusive', 'and says so'
);
select is(t.verdict('10:04', 'passed', null, '198.51.100.3'), 'degraded', 'a pass does');
select t.at('2099-01-01 10:20');
update ccp.tick_rules set last_at = null where rule = 'egress.note_states';
select clock.tick('worker', 'egress.note_states');
select is(t.state(), 'available', 'and time');
select is(t.verdict('10:21', 'failed', 'inventory'), 'available', 'a machine that is not right says nothing of the exit');

-- None.
create function t.fail(p_retryable boolean default false) returns ccp.exit_tests language plpgsql as $$
declare
    v_id uuid := t.begin();
begin
    perform task.fail(id, lease, 'settings_incomplete', 'no sources', p_retryable) from ccp.task_rows where id = v_id;
    return t.newest();
end
$$;
select t.at('2099-01-01 10:22');
select results_eq(
    $$select outcome::text, error_code::text, message::text, ended_at from t.fail()$$,
    $$values (null::text, 'settings_incomplete', 'no sources', '2099-01-01 10:22'::timestamptz)$$, 'a test that could not be made says why'
);
select is(t.state(), 'available', 'and nothing of the exit');
select is(
    (select count(*)::integer from ccp.events where type like 'egress.test.%' and task_id = (t.newest()).id), 0, 'nor does the audit log'
);
select t.at('2099-01-01 10:23');
select is((t.fail(true)).ended_at, null, 'one that is tried again has not ended');
select t.at('2099-01-01 10:24');
select is((select (t.claim()).id), (t.newest()).id, 'and is');
select task.fail(id, lease, 'host_busy', 'busy', false) from ccp.task_rows where id = (t.newest()).id;
select t.at('2099-01-01 10:25');
select task.enqueue('egress.test', null, jsonb_build_object('egress_ip_id', t.exit()));
select task.cancel((t.newest()).id, 'not wanted');
select results_eq(
    $$select outcome::text, error_code::text, message::text from t.newest()$$, $$values (null::text, 'canceled', 'not wanted')$$,
    'one that is canceled was not made'
);
select t.at('2099-01-01 10:26');
select t.begin() as begun \gset
select task.succeed(id, lease, '{}') from ccp.task_rows where id = :'begun';
select is((t.newest()).error_code, 'internal', 'a report without a verdict is none');

-- What is kept.
select is((select count(*)::integer from ccp.exit_tests), 10, 'each is kept');
select t.verdict(to_char(time '11:00' + n * interval '1 minute', 'HH24:MI'), 'passed') from generate_series(1, 50) as n;
select is((select count(*)::integer from ccp.exit_tests), 50, 'the last 50 are kept');
select is((select min(created_at) from ccp.exit_tests), '2099-01-01 11:01', 'and no older one');
select is((select count(*)::integer from ccp.exit_states), 1, 'the exit has one state');
create function t.page(p_cursor text default null) returns api.egress_test_page language sql as $$
    select api.egress_ip_test_list(t.login('boss'), 1, t.exit(), null, '-created_at', 30, p_cursor)
$$;
select is((p).tests[1].created_at, '2099-01-01 11:50', 'they are listed, newest first') from t.page() as p;
select is(
    (select format('%s %s %s', (p).tests[1].node, (p).tests[1].duration_ms, (p).tests[1].checks) from t.page() as p),
    'node1 321 {"(exit_ip,passed,1.5,seen)"}', 'with what was looked at'
);
select is(cardinality((t.page((p).next_cursor)).tests), 20, 'by pages') from t.page() as p;
select is((t.page((p).next_cursor)).next_cursor, null, 'to the end') from t.page() as p;
select is(
    cardinality((api.egress_ip_test_list(t.login('boss'), 1, t.exit(), '{failed,inconclusive}')).tests), 0, 'filtered by how they ended'
);
select lives_ok(format('select egress.remove(%L)', t.exit()), 'an exit that was tested can be deleted');
select is((select count(*)::integer from ccp.exit_tests), 0, 'and its tests go with it');
select * from finish();
rollback;
