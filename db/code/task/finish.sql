-- Ends a task and moves its host to what the task left (task.status_after), never to what is wanted by now; then lets the
-- next task begin or reconciles, which bring the rest. What an agent has seen since the task left the host counts too. The
-- caller holds the host's row (if there is one) and the task's. p_host_status, if given, is the host's new status instead.
create or replace function task.finish(
    p_task ccp.task_rows,
    p_status text,
    p_error_code text default null,
    p_error_message text default null,
    p_retryable boolean default null,
    p_result jsonb default null,
    p_host_status text default null
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host ccp.hosts;
    v_kind ccp.task_kinds;
    v_next ccp.task_rows;
    v_exit text;
    v_before record;
begin
    perform task.end_row(p_task, p_status, p_error_code, p_error_message, p_retryable, p_result);
    if p_task.host_id is null then
        if p_status = 'failed' then
            perform event.write(
                'task.failed', format('%s failed: %s', p_task.kind, p_error_message),
                null, null, p_task.id, jsonb_build_object('error_code', p_error_code)
            );
        end if;
        if p_task.kind = 'egress.test' then
            perform egress.end_test(p_task, p_error_code, p_error_message, p_result);
        end if;
        return;
    end if;

    select h.failures, h.error_code into v_before from ccp.hosts as h where h.id = p_task.host_id;
    select k.* into v_kind from ccp.task_kinds as k where k.kind = p_task.kind;
    update ccp.hosts
    set
        status = coalesce(p_host_status, task.status_after(v_kind, p_status, task.left_state(p_task))),
        finished_at = clock.now(),
        failures = failures + (p_status = 'failed')::integer,
        retry_at = case p_status
            when 'failed' then host.retry_at(failures + 1, p_error_code)
            when 'succeeded' then null
            else retry_at
        end,
        error_code = case p_status when 'canceled' then error_code else p_error_code end,
        error_message = case p_status when 'canceled' then error_message else left(p_error_message, 2000) end,
        wg_public_key = case p_task.kind
            when 'host.create' then coalesce(p_result ->> 'wg_public_key', wg_public_key)
            else wg_public_key
        end,
        ssh_host_key = case p_task.kind
            when 'host.create' then coalesce(p_result ->> 'ssh_host_key', ssh_host_key)
            else ssh_host_key
        end
    where id = p_task.host_id
    returning * into v_host;
    if p_status = 'succeeded' and v_host.status = 'running' then
        perform host.note_exit(v_host, p_task);
    end if;
    if v_host.status = 'deleted' then
        perform account.wake_delete(v_host.user_id);
        update ccp.bindings
        set ended_at = clock.now()
        where host_id = v_host.id
            and ended_at is null
        returning exit_label into v_exit;
        if found then
            perform event.write(
                'admin.binding.deleted', format('host %s no longer leaves through exit %s', v_host.short_id, v_exit),
                v_host.user_id, v_host.id, p_task.id
            );
        end if;
    end if;
    if p_task.started_at is not null and p_task.left_state is null then
        update ccp.observations set state = 'unknown' where host_id = p_task.host_id;
    end if;
    -- What reconciliation tries again and again is told once: when it begins to fail, and when it is back.
    if p_status <> 'failed' or p_task.created_by <> 'reconcile'
        or (
            v_before.error_code = p_error_code
            or verification.event_type(v_before.error_code) = verification.event_type(p_error_code)
        ) is not true
    then
        perform task.write_events(p_task, v_host, p_status, p_error_code, p_error_message);
    end if;
    if v_host.status = 'running' and v_before.failures > 0 then
        perform event.write(
            'host.restored',
            format('host %s runs again after %s failures, the last: %s', v_host.short_id, v_before.failures, v_before.error_code),
            v_host.user_id, v_host.id, p_task.id, jsonb_build_object('error_code', v_before.error_code)
        );
    end if;
    if host.note_drift(v_host) then
        select h.* into v_host from ccp.hosts as h where h.id = p_task.host_id;
    end if;

    select t.*
    into v_next
    from ccp.task_rows as t
    where t.host_id = p_task.host_id and t.status = 'queued'
    for no key update;
    if found then
        perform task.promote_waiting(v_next, v_host);
    else
        perform host.reconcile(p_task.host_id);
    end if;
end
$$;

revoke all on function task.finish(ccp.task_rows, text, text, text, boolean, jsonb, text) from public;

comment on function task.finish(ccp.task_rows, text, text, text, boolean, jsonb, text) is
'Ends a task, moves its host as the kind says, and lets the next task begin or reconciles.';
