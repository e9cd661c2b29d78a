-- What is asked for one host, or by one requester, leaves the others alone.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(43);

select t.at('2099-01-01');
create function t.do(p_kind text, p_host_id uuid default t.host(), p_params jsonb default '{}', p_key text default null) returns text
language plpgsql as $$
declare
    v_task ccp.task_rows;
begin
    v_task := task.enqueue(p_kind, p_host_id, p_params, p_key);
    return concat_ws(' ', v_task.status, v_task.message);
exception
    when sqlstate 'CP409' or sqlstate 'CP404' or sqlstate 'CP422' then
        return sqlerrm;
end
$$;
create function t.claims() returns text language sql as $$
    with c as (select * from task.claim(t.agent(), 9))
    select coalesce(string_agg(concat_ws(' ', h.short_id, c.kind, c.stop_requested), ', ' order by h.short_id), 'nothing')
    from c join ccp.hosts as h on h.id = c.host_id
$$;
create sequence t.seen;
create function t.done(p_short_id text, p_left text default null) returns text language sql as $$
    select task.succeed(k.id, k.lease, '{}', p_left, nextval('t.seen'))
    from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id
    where h.short_id = p_short_id and k.status = 'running'
$$;
create function t.statuses() returns text language sql as $$
    select string_agg(short_id || ' ' || status || ' ' || desired, ', ' order by short_id) from ccp.hosts
$$;

select is(array[host.spec(t.host()) #>> '{exit,label}', host.spec(t.second()) #>> '{exit,label}'], '{exit1,exit2}', 'each host has its own exit');

-- Claims.
select t.do('host.start');
select is(t.claims(), 'abcdef host.start f', 'a claim takes what waits, and is not told to stop');
select t.do('host.start', t.second());
select is(t.claims(), 'ghijkl host.start f', 'another host''s task does not hold one up');
select t.do('host.stop', t.second());
select is(t.claims(), 'nothing', 'the host''s own does');
select is(
    (select string_agg(h.short_id || ' ' || k.stop_reason, ', ') from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id
    where k.stop_requested_at is not null),
    'ghijkl superseded', 'the task that was to stop was asked to, and no other'
);
select is(t.done('ghijkl'), 'ok', 'it ends');
select is(t.statuses(), 'abcdef starting running, ghijkl stopping stopped', 'its host goes on to the next');
select is(t.claims(), 'ghijkl host.stop f', 'which is claimed');
select is(t.done('ghijkl'), 'ok', 'and ends');
select is(t.done('abcdef'), 'ok', 'so does the other');
select is(t.statuses(), 'abcdef running running, ghijkl stopped stopped', 'each as it was asked for');
update ccp.users set disabled_at = clock.now();
insert into ccp.users (username, short_id) values ('bobby', 'bobby1');
update ccp.users set disabled_at = null;
select t.do('host.rebuild');
update ccp.users set disabled_at = clock.now() where username = 'alice';
select is(t.claims(), 'nothing', 'nothing that needs an active user is claimed for a disabled one, though others are active');
update ccp.users set disabled_at = null;
select is(t.claims(), 'abcdef host.rebuild f', 'until the user is active again');
select t.at('2099-01-01 00:00:30');
select is(t.do('host.stop'), 'queued', 'a stop waits behind a rebuild');
select is((select count(*)::integer from ccp.task_rows where status = 'running' and stop_requested_at is not null), 0, 'which it does not stop');
select is(t.done('abcdef', 'running'), 'ok', 'the rebuild ends, and leaves the host running as it was wanted when it looked');
select is(t.statuses(), 'abcdef stopping stopped, ghijkl stopped stopped', 'so that the stop has something to do');
select is(t.claims(), 'abcdef host.stop f', 'and is done');
select t.done('abcdef', 'stopped');
select t.do('host.rebuild');
select t.claims();
select t.do('host.start');
select t.done('abcdef', 'stopped');
select is(t.statuses(), 'abcdef starting running, ghijkl stopped stopped', 'nor has a start been done by a rebuild that left it stopped');
select t.claims();
select t.done('abcdef', 'running');
select t.do('host.stop');
select t.claims();
select t.done('abcdef', 'stopped');
select t.do('host.start');
select t.claims();
select is(t.do('host.rebuild'), 'host.rebuild has to wait: host.start is running', 'a rebuild does not wait');
select t.done('abcdef');
update ccp.hosts set desired = 'running' where id = t.host();
select t.do('host.rebuild');
select t.claims();
select is(t.do('host.rebuild', t.host(), '{"mode": "wipe"}'), 'host.rebuild has to wait: host.rebuild is running', 'other parameters are another request');
select is(t.do('host.rebuild'), 'running', 'the same are the same');
select t.done('abcdef', 'running');
select is(t.statuses(), 'abcdef running running, ghijkl stopped stopped', 'a rebuilt host that was left running runs');

-- A request whose work is done by the time it is asked for.
select t.do('host.verify');
select is(t.do('host.start'), 'succeeded nothing to do: the host is running', 'a start takes the place of a verification, and has nothing to do');
select is(t.statuses(), 'abcdef running running, ghijkl stopped stopped', 'the host runs on');
select is(t.do('host.verify'), 'queued', 'a new one is queued');
select is((select coalesce(message, 'none') from ccp.task_rows where status = 'queued'), 'none', 'without a message');
select t.claims();
select t.done('abcdef');
select t.at('2099-01-01 00:01:00');
insert into ccp.observations (host_id, process_id, sequence, state, observed_at) values (t.second(), t.agent(), 1, 'running', clock.now());
select is(t.do('host.stop', t.second()), 'succeeded nothing to do: the host is stopped', 'a stop of a stopped host has nothing to do');
select is(t.statuses(), 'abcdef running running, ghijkl unavailable stopped', 'but what the agent saw meanwhile is looked at');
update ccp.observations set state = 'stopped';
select t.do('host.stop', t.second());
select t.claims();
select t.done('ghijkl');

-- Exits: the host's own counts, and only for what needs one.
update ccp.bindings set ended_at = clock.now() where exit_label = 'exit2';
select is(t.do('host.start', t.second()), 'host ghijkl has no exit', 'another host''s exit does not do');
select is(t.do('host.rebuild', t.second()), 'queued', 'a rebuild needs none');
select t.claims();
select t.done('ghijkl');
update ccp.bindings set ended_at = null;

-- Two that are deleted: each ends its own binding.
select t.do('host.delete', t.second());
select t.claims();
select t.done('ghijkl');
select is((select string_agg(exit_label, ', ') from ccp.bindings where ended_at is null), 'exit1', 'a deletion ends its own binding');
update ccp.bindings set ended_at = '2098-12-31' where exit_label = 'exit1';
insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
select h.id, e.id, h.user_id, e.label, e.ip_address from ccp.egress_ips as e, t.host_row('abcdef') as h where e.label = 'exit2';
select t.do('host.delete');
select t.claims();
select t.done('abcdef');
select is((select ended_at from ccp.bindings where exit_label = 'exit1'), timestamptz '2098-12-31', 'one that ended before stays as it ended');
select is(
    (select string_agg(message, '; ' order by id) from ccp.events where type = 'admin.binding.deleted'),
    'host ghijkl no longer leaves through exit exit2; host abcdef no longer leaves through exit exit2', 'each end is in the audit log'
);

-- Keys belong to their requester; parameters to their kind.
select is(t.do('system.noop', null, '{"label": "a"}', 'k'), 'queued', 'a key of one requester');
update ccp.task_rows set created_by = 'someone' where idempotency_key = 'k';
select is(t.do('system.noop', null, '{"label": "b"}', 'k'), 'queued', 'is not another''s');
select is(t.do('system.noop', null, '{"label": "a"}', 'k2'), 'queued', 'the live row of the same request is returned');
select is((select count(*)::integer from ccp.task_rows where idempotency_key = 'k2'), 0, 'but does not take the key of another requester');
select is(
    array[(task.enqueue('system.noop', null, '{"label": "a"}')).params ->> 'label', (task.enqueue('system.noop', null, '{"label": "b"}')).params ->> 'label'],
    '{a,b}', 'each request finds its own row'
);
select isnt((task.enqueue('system.noop')).id, (task.enqueue('events.retain')).id, 'and its own kind');
select is(t.do('system.noop', null, '{"mode": "keep"}'), 'system.noop does not take this mode', 'a parameter of another kind is refused');
select is(t.do('system.noop', null, '{"mood": "5"}'), 'system.noop does not take this mood', 'so is another name for a value that fits');
insert into ccp.task_params (kind, name, pattern, description) values ('system.noop', 'mode', '.*', 'x');
select is((task.enqueue('system.noop', null, '{"mode": "keep"}')).params::text, '{"mode": "keep"}', 'the default of another kind is none of this');

select * from finish();
rollback;
