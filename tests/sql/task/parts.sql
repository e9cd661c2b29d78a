-- The parts that requests and reports are made of, each by itself: who waits, who follows whom, what is lost.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(56);

select t.at('2099-01-01');
create function t.row(p_kind text) returns ccp.task_rows language sql as $$
    select * from ccp.task_rows where kind = p_kind order by created_at desc, finished_at desc nulls first limit 1
$$;
create function t.kind(p_kind text, p_change jsonb default '{}') returns ccp.task_kinds language sql as $$
    select (jsonb_populate_record(k, p_change)).* from ccp.task_kinds as k where k.kind = p_kind
$$;
create function t.host_as(p_change jsonb) returns ccp.hosts language sql as $$
    select (jsonb_populate_record(h, p_change)).* from ccp.hosts as h where h.id = t.host()
$$;

select task.enqueue('system.noop');
select t.ask('host.start');
-- Who may wait behind a running task.
select t.claim();
select ok(task.can_queue_behind(t.row('host.start'), t.kind('host.stop')), 'a kind that stops it');
select ok(task.can_queue_behind(t.row('host.start'), t.kind('host.rebuild', '{"waits": true}')), 'one that waits and begins from what it leaves');
select ok(
    task.can_queue_behind(t.row('host.start'), t.kind('host.verify', '{"waits": true, "from_statuses": ["pending"]}')), 'or leaves the same'
);
select ok(
    not task.can_queue_behind(t.row('host.start'), t.kind('host.rebuild', '{"waits": true, "from_statuses": ["pending"], "done_status": "failed"}')),
    'not one that could do nothing then'
);
select ok(not task.can_queue_behind(t.row('host.start'), t.kind('host.rebuild')), 'nor one that does not wait');
select ok(task.is_superseded_by(t.row('host.start'), 'host.delete'), 'a queued start is superseded by a deletion');
select ok(not task.is_superseded_by(t.row('host.start'), 'host.rebuild'), 'not by a rebuild');

-- Who follows.
select ok(not task.has_follower(t.row('host.start')), 'a task alone is followed by none');
insert into ccp.task_rows (kind, host_id, user_id, queue, created_by) values ('host.start', t.second(), (select id from ccp.users), 'ccp_worker', 'test');
update ccp.task_rows set created_at = created_at - interval '1 minute' where host_id = t.second();
select ok(not task.has_follower(t.row('host.start')), 'another host''s task is not behind it');
select ok(not task.has_follower(t.row('system.noop')), 'nor is a host''s behind one without a host');
select t.ask('host.stop');
select ok(task.has_follower(t.row('host.start')), 'one of its own host is');
select is(task.has_tries(t.row('host.start')), false, 'so it is not tried again');
update ccp.task_kinds set attempts_max = 9 where kind = 'host.start';
select is(task.has_tries(t.row('host.start')), false, 'even if tries are left');
select task.cancel((t.row('host.stop')).id, 'x');
select ok(not task.has_follower(t.row('host.start')), 'one that has ended is not');
select is(task.has_tries(t.row('host.start')), true, 'then it is tried again');
update ccp.task_kinds set attempts_max = 1 where kind = 'host.start';
select is(task.has_tries(t.row('host.start')), false, 'while tries are left');
select task.enqueue('events.retain');
select ok(not task.has_follower(t.row('system.noop')), 'another kind does not follow');
select task.enqueue('system.noop', null, '{"label": "x"}');
update ccp.task_rows set created_at = created_at - interval '1 minute' where params <> '{}';
select ok(not task.has_follower(t.row('system.noop')), 'nor do other parameters');
select task.claim(t.worker(), 9);
update ccp.task_rows set stop_requested_at = clock.now(), stop_reason = 'deadline' where kind = 'system.noop' and params = '{}';
create temporary table old as select (t.row('system.noop')).id;
create function t.old() returns ccp.task_rows language sql as $$ select k.* from ccp.task_rows as k, old where k.id = old.id $$;
select task.enqueue('system.noop');
select ok(task.has_follower(t.old()), 'the same request again, after it was asked to stop, does');
select task.claim(t.worker(), 9);
select ok(task.has_follower(t.old()), 'also when that runs');
update ccp.task_rows set stop_requested_at = clock.now(), stop_reason = 'deadline' where kind = 'system.noop' and params = '{}';
select ok(not task.has_follower(t.old()), 'but not when it is to stop as well');
update ccp.task_rows set stop_requested_at = null, stop_reason = null where kind = 'system.noop' and params = '{}' and id <> (select id from old);
select is(task.canceled((t.old()).id, (t.old()).lease, 'x'), 'ok', 'a task past its deadline that is followed');
select is((select status || ' ' || error_code from ccp.task_rows where id = (select id from old)), 'failed deadline', 'is not tried again');
select is(
    (select concat_ws(' ', level, message, metadata ->> 'error_code', host_id, user_id) from ccp.events where type = 'task.failed' and task_id = (select id from old)),
    'error system.noop failed: did not end in time and was stopped deadline', 'the audit log says so'
);
select task.succeed(id, lease, '{}') from ccp.task_rows where kind = 'system.noop' and params = '{}' and status = 'running';
select ok(not task.has_follower(t.old()), 'what has ended does not follow');
select is((select count(*)::integer from ccp.events where type = 'task.failed'), 1, 'a success without a host is no event');

-- The next task of a host. Each of these changes nothing: a savepoint is rolled back.
create function t.promote(p_kind text, p_host jsonb) returns text language plpgsql as $$
declare
    v_task ccp.task_rows := t.row(p_kind);
    v_after text;
begin
    set local session_replication_role = replica;
    update ccp.hosts set status = coalesce(p_host ->> 'status', status), wg_public_key = case when p_host ? 'key' then null else wg_public_key end,
        desired = coalesce(p_host ->> 'desired', desired) where id = t.host();
    set local session_replication_role = origin;
    perform task.promote_waiting(v_task, h) from ccp.hosts as h where h.id = t.host();
    select concat_ws(' ', k.status, k.error_code, k.error_message, '/', h.status, '/',
        (select string_agg(n.kind || ' ' || n.created_by, ', ') from ccp.task_rows as n where n.host_id = h.id and n.status = 'queued' and n.id <> k.id))
    into v_after
    from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id where k.id = v_task.id;
    raise exception 'done' using detail = v_after;
exception
    when raise_exception then
        get stacked diagnostics v_after = pg_exception_detail;
        return v_after;
end
$$;
select t.succeed();
select t.ask('host.stop');
select is(t.promote('host.stop', '{"status": "running"}'), 'queued / stopping /', 'it begins from a status that fits');
select is(t.promote('host.stop', '{"status": "stopped"}'), 'succeeded / stopped /', 'has succeeded where nothing is left to do');
select is(
    t.promote('host.stop', '{"status": "stopped", "desired": "running"}'), 'succeeded / starting / host.start reconcile', 'after which the host is reconciled'
);
select is(
    t.promote('host.stop', '{"status": "pending"}'), 'failed step_not_allowed host.stop is not possible: the host is pending / pending / host.create reconcile',
    'has failed where it cannot begin'
);
select is(
    t.promote('host.stop', '{"status": "failed", "key": null}'),
    'failed host_not_created host.stop is not possible: the host was never created / pending / host.create reconcile', 'or needs a host that was never created'
);
select is(
    t.promote('host.stop', '{"status": "stopped", "key": null}'),
    'failed host_not_created host.stop is not possible: the host was never created / stopped /', 'even if it would have nothing to do'
);
select t.work();
select t.ask('host.delete');
select is(t.promote('host.delete', '{"status": "failed", "key": null, "desired": "absent"}'), 'queued / deleting /', 'a deletion needs no created host');
select task.cancel((t.row('host.delete')).id, 'x');
select t.work();

-- Losing a process.
select t.run();
select is(task.release_orphan(gen_random_uuid(), 1), false, 'a task that does not exist is not lost');
select t.ask('host.stop');
create temporary table c as select * from t.claim();
create function t.lose(p_change text default '') returns text language plpgsql as $$
declare
    v_after text;
begin
    if p_change <> '' then
        execute p_change;
    end if;
    if not task.release_orphan(c.id, c.lease) from c then
        return 'not lost';
    end if;
    select concat_ws(' ', k.status, k.attempt, k.losses, k.reported, k.error_code, k.error_message, k.retryable, '/', h.status, '/', t.last())
    into v_after
    from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id where k.id = (select id from c);
    raise exception 'done' using detail = v_after;
exception
    when raise_exception then
        get stacked diagnostics v_after = pg_exception_detail;
        return v_after;
end
$$;
create function t.last() returns text language sql as $$
    select message || ' ' || metadata from ccp.events where type = 'reconcile.task.stale' order by id desc limit 1
$$;
select is(task.release_orphan(id, lease + 1), false, 'a task under another lease is not lost') from c;
select is(
    t.lose(), format('queued 0 1 / stopping / host.stop lost its process and is queued again {"attempt": 1, "process_id": %s}', t.agent()),
    'a lost one is queued again'
);
select matches(
    t.lose('update ccp.task_rows set losses = 2 where id = (select id from c)'),
    '^failed 1 2 lost its process died t / failed / host.stop lost its process and has failed', 'the third loss is the last'
);
select matches(
    t.lose($$update ccp.task_rows set losses = 1 where id = (select id from c)$$), '^queued 0 2 / stopping', 'the second is not'
);
select matches(
    t.lose($$
        update ccp.task_rows set stop_requested_at = clock.now(), stop_reason = 'canceled' where id = (select id from c);
        update ccp.hosts set retry_at = clock.now() + interval '1 hour'
    $$),
    '^canceled 1 0 canceled its process died while it was being stopped / failed / host.stop lost its process and has failed',
    'one that was asked to stop is canceled, and its host''s state unknown'
);
select matches(
    t.lose($$update ccp.task_rows set stop_requested_at = clock.now(), stop_reason = 'deadline' where id = (select id from c)$$),
    '^queued 1 0 deadline did not end in time and its process was declared dead / stopping', 'one past its deadline is tried again'
);
select task.release_orphan(id, lease) from c;
select is(task.succeed(id, lease, '{}'), 'stale', 'what its process still reports is stale') from c;
select is(task.release_orphan(id, lease), false, 'it is lost once') from c;
delete from c;
insert into c select * from t.claim();
select t.ask('host.start');
select matches(t.lose(), '^canceled 1 1 superseded its process died while it was being stopped / starting', 'one that was superseded is canceled, and the next begins');
update ccp.task_rows set stop_requested_at = null, stop_reason = null where id = (select id from c);
select matches(t.lose(), '^failed 1 1 lost its process died t / starting', 'so does the next behind one that has a follower, which fails');
select task.cancel((t.row('host.start')).id, 'x');
select t.succeed();

-- Keys that another session has just used: what a request meets that looked before the other committed.
select task.enqueue('system.noop', null, '{"label": "key"}', 'used');
select throws_ok(
    $$select task.insert_row(t.kind('host.start'), t.host_as('{}'), '{}', 'used', session_user, false)$$, 'CP409',
    'another session has just used this idempotency key', 'a host''s row does not take a used key'
);
select throws_ok(
    $$select task.submit_plain(t.kind('system.noop'), '{"label": "other"}', 'used', session_user)$$, 'CP409',
    'the same system.noop is being enqueued by others', 'nor does one without a host'
);
select task.enqueue('system.noop', null, '{"label": "keyless"}');
select throws_ok(
    $$select task.keep_key(k, 'used', session_user) from ccp.task_rows as k where params ->> 'label' = 'keyless'$$, 'CP409',
    'another session has just used this idempotency key', 'nor a live one'
);
select is((task.keep_key(k, null, session_user)).idempotency_key, null, 'without a key none is kept') from ccp.task_rows as k where params ->> 'label' = 'keyless';
select is((task.keep_key(k, 'new', 'other')).idempotency_key, null, 'nor that of another requester') from ccp.task_rows as k where params ->> 'label' = 'keyless';
select is((task.keep_key(k, 'new', session_user)).idempotency_key, 'new', 'the requester''s own is') from ccp.task_rows as k where params ->> 'label' = 'keyless';
select is((task.keep_key(k, 'newer', session_user)).idempotency_key, 'new', 'the first one') from ccp.task_rows as k where params ->> 'label' = 'keyless';
select is((select count(*)::integer from ccp.task_rows where idempotency_key = 'new'), 1, 'in that row and no other');

-- A claim that comes between a request's look and its lock.
select task.claim(t.agent(), 9);
select t.succeed();
select t.run();
select t.ask('host.verify');
alter function task.is_superseded_by(ccp.task_rows, text) rename to is_superseded_by_really;
create function task.is_superseded_by(p_queued ccp.task_rows, p_kind text) returns boolean language plpgsql as $$
begin
    perform task.claim(t.agent(), 1);
    return task.is_superseded_by_really(p_queued, p_kind);
end
$$;
select is((t.ask('host.stop')).status, 'queued', 'a queued task that is claimed meanwhile');
select is((select concat_ws(' ', status, stop_reason) from ccp.task_rows where kind = 'host.verify' order by started_at desc limit 1), 'running superseded', 'is a running one, and asked to stop');

-- Steps that ccp.task_edges does not list, and requests without a kind.
delete from ccp.task_edges where to_status = 'failed';
select throws_ok(
    $$update ccp.task_rows set status = 'failed' where status = 'running'$$, 'CP409', 'a task may not go from running to failed', 'a step is a row'
);
select throws_ok($$insert into ccp.tasks (kind) values (null)$$, 'CP422', 'a task needs a kind', 'a task has a kind');

select * from finish();
rollback;
