-- Tasks as an administrator ends and repeats them, and what users may read of their hosts.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(44);

select t.at('2099-01-01');
create function t.task(p_status text) returns uuid language sql security definer as $$
    select id from ccp.task_rows where status = p_status
$$;
create function t.events(p_type text) returns bigint language sql security definer as $$
    select count(*) from ccp.events where type = p_type
$$;

-- Cancel.
select throws_ok($$select api.task_cancel(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such task.', 'only what is there is canceled');
select t.ask('host.start');
select throws_ok(format('select api.task_cancel(t.login(''alice''), 1, %L)', t.task('queued')), 'CP403', null, 'and only by admins');
select t.claim();
select is((api.task_cancel(t.login('boss'), 1, t.task('running'))).stop_reason, 'canceled', 'a running task is asked to stop');
select is(t.last_event(), 'info | admin.task.canceled | the end of a task host.start was asked for | alice | abcdef | host.start', 'which is an event');
select is((api.task_cancel(t.login('boss'), 1, t.task('running'))).status, 'running', 'and may be asked for again');
select is(t.events('admin.task.canceled'), 1::bigint, 'which is the same event');
select task.canceled(id, lease, 'gone') from ccp.task_rows where status = 'running';
select is((api.task_cancel(t.login('boss'), 1, t.task('canceled'))).error_code, 'canceled', 'even when it has ended so');
select is(t.events('admin.task.canceled'), 1::bigint, 'which is still the same event');
select is((select desired from ccp.hosts), 'stopped', 'what the task was for is not wanted any more');
select t.ask('host.start');
select is((api.task_cancel(t.login('boss'), 1, t.task('queued'))).error_message, 'canceled by ' || session_user, 'a queued one ends at once');
select t.run();
select throws_ok(
    format('select api.task_cancel(t.login(''boss''), 1, %L)', t.task('succeeded')), 'CP409',
    'This task has ended before: it is succeeded.', 'what has ended is not canceled'
);
select t.ask('host.stop');
select t.claim();
update ccp.task_rows set stop_requested_at = clock.now(), stop_reason = 'deadline' where status = 'running';
select api.task_cancel(t.login('boss'), 1, t.task('running'));
select is(t.events('admin.task.canceled'), 3::bigint, 'a task that its deadline asked to stop can be canceled too');
select task.fail(id, lease, 'docker_failed', 'no', false) from ccp.task_rows where status = 'running';

-- Retry.
select throws_ok($$select api.task_retry(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', null, 'only what is there is tried again');
select throws_ok(format('select api.task_retry(t.login(''alice''), 1, %L)', t.task('succeeded')), 'CP403', null, 'and only by admins');
select throws_ok(format('select api.task_retry(t.login(''boss''), 1, %L)', t.task('succeeded')), 'CP409', null, 'and not what has succeeded');
delete from ccp.task_rows where finished_at is not null;
update ccp.hosts set wg_public_key = null, status = 'failed', desired = 'stopped', failures = 3, retry_at = 'infinity';
insert into ccp.task_rows (kind, host_id, user_id, queue, created_by)
select 'host.create', id, user_id, 'ccp_agent_' || node_id, 'test' from ccp.hosts;
update ccp.task_rows set status = 'running', lease = 1, process_id = 1, deadline_at = clock.now(), started_at = clock.now();
update ccp.task_rows set status = 'failed', lease = null, process_id = null, deadline_at = null, error_code = 'x', finished_at = clock.now();
create temporary table again as
select (api.task_retry(t.login('boss'), 1, t.task('failed'), 'k', repeat('a', 64))).*;
select is((select k.kind from again as a join ccp.task_rows as k on k.id = a.task_id), 'host.create', 'after a failed host.create a fresh one is made');
select is((select status_url from again), '/v1/admin/tasks/' || task_id, 'and the answer says where it is') from again;
select is(t.status(), 'pending', 'the host waits for it');
select is((select failures from ccp.hosts), 0, 'and its failures are forgotten');
select is(
    t.last_event(),
    format('info | admin.task.retried | host.create was asked for again | alice | abcdef | host.create | {"retried": "%s"}', t.task('failed')),
    'which is an event'
);
select is((api.task_retry(t.login('boss'), 1, t.task('failed'), 'k', repeat('a', 64))).task_id, task_id, 'the same request is answered with the same task')
from again;
select is((api.task_retry(t.login('boss'), 1, t.task('failed'))).task_id, task_id, 'so is another one while it lives') from again;
select is(t.events('admin.task.retried'), 1::bigint, 'which are one event');
select t.claim();
select t.succeed(jsonb_build_object('wg_public_key', repeat('B', 43) || '='));
select is((api.task_retry(t.login('boss'), 1, t.task('failed'), 'k', repeat('a', 64))).status, 'succeeded', 'later it is told how it is');
select is(t.events('admin.task.retried'), 1::bigint, 'and not asked for again');

-- What users read.
select t.run();
insert into ccp.verifications (host_id, user_id, process_id, kind, outcome, error_code, expected_ip, observed_ip, checks, duration_ms, at)
select t.host(), t.user('alice'), 1, v.kind, v.outcome, v.code, '198.51.100.1', '198.51.100.1', v.checks::jsonb, 5, v.at::timestamptz
from (values
    ('start', 'passed', null, '[{"ms":1.5,"name":"dns","detail":"it is","outcome":"passed"},{"name":"b"}]', '2099-01-01'),
    ('light', 'failed', 'leak', '[]', '2099-01-02'),
    ('full', 'inconclusive', 'echo', '[]', '2099-01-02')
) as v (kind, outcome, code, checks, at);
create function t.kinds(p_page api.verification_page) returns text language sql as $$
    select coalesce(string_agg(v.kind, ','), '-') || coalesce('|' || nullif(p_page.next_cursor is not null, false)::text, '')
    from unnest(p_page.verifications) as v
$$;
select is(t.kinds(api.own_host_verification_list(t.login('alice'), 1, t.host())), 'full,light,start', 'the evidence of a host, newest first');
select is(t.kinds(api.host_verification_list(t.login('boss'), 1, t.host(), p_sort => 'time')), 'start,light,full', 'or oldest first');
select is(
    t.kinds(api.own_host_verification_list(t.login('alice'), 1, t.host(), '{failed,inconclusive}')), 'full,light', 'by outcomes'
);
select is(t.kinds(api.host_verification_list(t.login('boss'), 1, t.host(), '{failed,passed}')), 'light,start', 'for admins too');
select is(t.kinds(api.own_host_verification_list(t.login('alice'), 1, t.host(), p_kind => '{start,full}')), 'full,start', 'by kinds');
select is(t.kinds(api.host_verification_list(t.login('boss'), 1, t.host(), p_kind => '{light}')), 'light', 'for admins too');
select is(t.kinds(api.own_host_verification_list(t.login('alice'), 1, t.host(), p_limit => 1)), 'full|true', 'in pages');
select is(
    t.kinds(api.own_host_verification_list(
        t.login('alice'), 1, t.host(), p_limit => 1,
        p_cursor => (api.own_host_verification_list(t.login('alice'), 1, t.host(), p_limit => 1)).next_cursor
    )), 'light|true', 'of which none loses what came at once'
);
select is(
    t.kinds(api.host_verification_list(
        t.login('boss'), 1, t.host(), p_limit => 2,
        p_cursor => (api.host_verification_list(t.login('boss'), 1, t.host(), p_limit => 2)).next_cursor
    )), 'start', 'for admins neither'
);
select is(
    (api.own_host_verification_list(t.login('alice'), 1, t.host())).verifications[3].checks,
    array[row('dns', 'passed', 1.5, 'it is'), row('b', null, null, null)]::api.check[], 'with each check'
);
select is((api.own_host_verification_list(t.login('alice'), 1, t.host())).verifications[1].error_code, 'echo', 'and what did not hold');
select throws_ok($$select api.host_verification_list(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', null, 'of a host that is there');
select throws_ok($$select api.host_verification_list(t.login('alice'), 1, t.host())$$, 'CP403', null, 'all of it is for admins');
select throws_ok(
    format('select api.own_host_%s_list(t.login(''bobby''), 1, t.host())', noun), 'CP404', 'There is no such host.', noun || 's of others are not there'
) from unnest(array['task', 'event', 'verification']) as noun;

select is(
    (select string_agg(k.kind || ' ' || k.status, ',') from unnest((api.own_host_task_list(t.login('alice'), 1, t.host(), '{succeeded,running}', '{host.start,host.stop}')).tasks) as k),
    'host.start succeeded', 'alice sees the tasks of her host, by statuses and kinds'
);
select results_eq(
    $$select e.type::text, e.actor_address from unnest((api.own_host_event_list(t.login('alice'), 1, t.host(), '{admin.task.retried,x.y}', '{info,debug}', '2098-01-01', '2100-01-01')).events) as e$$,
    $$select 'admin.task.retried', null::inet$$, 'and its events, by types and levels'
);
select is(
    (
        select count(*)
        from unnest((api.own_host_event_list(t.login('alice'), 1, t.host(), p_level => '{error}')).events) as e
    ), (select count(*) from ccp.events where host_id = t.host() and level = 'error'), 'only of a level'
);

select * from finish();
rollback;
