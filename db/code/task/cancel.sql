-- A person cancels a task: a queued one ends at once, a running one is asked to stop. What the kind's requester wanted
-- is no longer desired, so that reconciliation does not ask for it again. Answers canceled, stopping, or the status of
-- a task that had ended before. A deletion that has ever begun goes on to its end.
create or replace function task.cancel(p_task_id uuid, p_reason text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
    v_kind ccp.task_kinds;
    v_is_next boolean;
begin
    v_task := task.lock(p_task_id);
    if v_task.id is null then
        perform access.refuse(
            'CP404', 'task_not_found', 'there is no such task', jsonb_build_object('task_id', p_task_id), ''
        );
    end if;
    if v_task.finished_at is not null then
        return v_task.status;
    end if;
    select k.* into v_kind from ccp.task_kinds as k where k.kind = v_task.kind;
    if v_task.kind = 'host.delete' and v_task.started_at is not null then
        perform access.refuse(
            'CP409', 'task_not_cancelable', 'a deletion that has begun cannot be canceled',
            jsonb_build_object('task_id', p_task_id, 'kind', v_task.kind), ''
        );
    end if;

    if v_task.kind = 'user.delete' then
        perform account.undo_delete((v_task.params ->> 'user_id')::uuid);
    end if;

    if v_task.status = 'running' then
        update ccp.task_rows
        set
            stop_requested_at = coalesce(stop_requested_at, clock.now()),
            stop_reason = coalesce(stop_reason, 'canceled')
        where id = p_task_id;
        perform pg_notify(v_task.queue, '');
    end if;
    -- The next task of its host takes the host along; one that runs, or waits behind another, leaves it where it is.
    v_is_next := v_task.status = 'queued' and not exists (
        select
        from ccp.task_rows as t
        where t.host_id = v_task.host_id and t.status in ('queued', 'running') and t.id <> p_task_id
    );
    update ccp.hosts
    set
        desired = coalesce(v_kind.desired_canceled, desired),
        status = case
            when v_is_next then task.status_after(v_kind, 'canceled', task.left_state(v_task))
            else status
        end
    where id = v_task.host_id;

    if v_task.status = 'running' then
        return 'stopping';
    end if;
    if v_is_next then
        perform task.finish(v_task, 'canceled', 'canceled', p_reason);
    else
        perform task.end_row(v_task, 'canceled', 'canceled', p_reason);
    end if;
    return 'canceled';
end
$$;

revoke all on function task.cancel(uuid, text) from public;

comment on function task.cancel(uuid, text) is
'A person cancels a task: canceled, stopping, or the status it had ended with.';
