-- Enqueues a task for a host whose row the caller has locked. In this order:
--   the host is wanted absent and this is not a deletion: CP409;
--   its node is drained and this is a start: CP409;
--   the same request is live and not being stopped: its row;
--   a live task that this kind neither supersedes nor may wait behind: CP409;
--   the queued task is superseded: canceled; the running one is superseded: asked to stop;
--   nothing runs: the task is the host's next, see task.begin_next() for what that means;
--   something runs: the task waits behind it.
create or replace function task.submit_for_host(
    p_kind ccp.task_kinds,
    p_host_id uuid,
    p_params jsonb,
    p_idempotency_key text,
    p_by text,
    p_by_person boolean
)
returns ccp.task_rows
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host ccp.hosts;
    v_running ccp.task_rows;
    v_queued ccp.task_rows;
    v_task ccp.task_rows;
    v_done boolean := false;
begin
    select h.*
    into v_host
    from ccp.hosts as h
    where h.id = p_host_id;
    if not found or v_host.status = 'deleted' then
        perform access.refuse(
            'CP404', 'host_not_found', 'there is no such host', jsonb_build_object('host_id', p_host_id), ''
        );
    end if;
    -- Only task.cancel() takes a deletion back.
    if v_host.desired = 'absent' and p_kind.desired is distinct from 'absent' then
        perform access.refuse(
            'CP409', 'host_being_deleted', format('%s is not possible: host %s is being deleted', p_kind.kind, v_host.short_id),
            jsonb_build_object('host_id', p_host_id, 'kind', p_kind.kind),
            'a deletion that has not begun can be canceled'
        );
    end if;
    if p_kind.desired = 'running' then
        perform node.require_open(v_host);
    end if;
    if p_kind.needs_active_user then
        perform host.require_active_user(v_host);
    end if;

    for v_task in
        select t.*
        from ccp.task_rows as t
        where t.host_id = p_host_id and t.status in ('queued', 'running')
    loop
        if v_task.status = 'running' then
            v_running := v_task;
        else
            v_queued := v_task;
        end if;
    end loop;
    v_task := null;

    if v_queued.kind = p_kind.kind and v_queued.params = p_params then
        v_task := v_queued;
    elsif v_running.kind = p_kind.kind and v_running.params = p_params and v_running.stop_requested_at is null then
        v_task := v_running;
    end if;
    if v_task.id is null then
        if v_queued.id is not null and not task.is_superseded_by(v_queued, p_kind.kind) then
            perform task.conflict(v_queued, p_kind.kind);
        end if;
        if v_running.id is not null and not task.can_queue_behind(v_running, p_kind) then
            perform task.conflict(v_running, p_kind.kind);
        end if;
        if p_kind.needs_binding and not exists (
            select
            from ccp.bindings as b
            where b.host_id = p_host_id and b.ended_at is null
        ) then
            perform access.refuse(
                'CP409', 'egress_binding_missing', format('host %s has no exit', v_host.short_id),
                jsonb_build_object('host_id', p_host_id), 'bind an exit to it first'
            );
        end if;
        if p_kind.kind = 'host.switch' then
            perform host.require_switch(v_host, (p_params ->> 'egress_ip_id')::uuid);
        end if;
    end if;

    if p_by_person then
        update ccp.hosts
        set
            desired = coalesce(p_kind.desired, desired),
            failures = 0,
            retry_at = null
        where id = p_host_id
            and (desired, failures) is distinct from (coalesce(p_kind.desired, desired), 0);
        v_host.desired := coalesce(p_kind.desired, v_host.desired);
    end if;
    if v_task.id is not null then
        return task.keep_key(v_task, p_idempotency_key, p_by);
    end if;

    if v_queued.id is not null then
        perform from ccp.task_rows as t where t.id = v_queued.id and t.status = 'queued' for no key update;
        if not found then
            -- A claim, which locks no host, has just taken it: it is the running one now.
            return task.submit_for_host(p_kind, p_host_id, p_params, p_idempotency_key, p_by, p_by_person);
        end if;
        perform task.end_row(v_queued, 'canceled', 'superseded', format('superseded by %s', p_kind.kind));
        if v_running.id is null and v_host.status <> all (p_kind.from_statuses) then
            update ccp.hosts as h
            set status = task.status_after(k, 'canceled', task.left_state(v_queued))
            from ccp.task_kinds as k
            where h.id = p_host_id and k.kind = v_queued.kind
            returning h.status into v_host.status;
        end if;
    end if;

    if v_running.id is null then
        v_done := task.begin_next(v_host, p_kind);
    elsif v_running.stop_requested_at is null then
        update ccp.task_rows as t
        set
            stop_requested_at = clock.now(),
            stop_reason = 'superseded'
        from ccp.task_kinds as k
        where t.id = v_running.id
            and k.kind = t.kind
            and p_kind.kind = any (k.stopped_by);
    end if;
    v_task := task.insert_row(p_kind, v_host, p_params, p_idempotency_key, p_by, v_done);
    if v_done then
        perform host.reconcile(p_host_id);
    end if;
    perform pg_notify(v_task.queue, '');
    return v_task;
end
$$;

revoke all on function task.submit_for_host(ccp.task_kinds, uuid, jsonb, text, text, boolean) from public;

comment on function task.submit_for_host(ccp.task_kinds, uuid, jsonb, text, text, boolean) is
'Enqueues a task for a locked host: returns the same live one, refuses, supersedes, begins or waits.';
