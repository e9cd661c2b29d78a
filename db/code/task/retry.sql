-- A person asks again for what a failed or canceled task was to do: a new task with the same kind, host and parameters.
create or replace function task.retry(p_task_id uuid)
returns ccp.task_rows
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
begin
    select t.*
    into v_task
    from ccp.task_rows as t
    where t.id = p_task_id;
    if not found then
        perform access.refuse(
            'CP404', 'task_not_found', 'there is no such task', jsonb_build_object('task_id', p_task_id), ''
        );
    end if;
    if v_task.status not in ('failed', 'canceled') then
        perform access.refuse(
            'CP409', 'task_not_retryable', format('a task that is %s cannot be tried again', v_task.status),
            jsonb_build_object('task_id', p_task_id, 'kind', v_task.kind), ''
        );
    end if;
    if v_task.kind = 'user.delete' then
        return account.delete((v_task.params ->> 'user_id')::uuid, v_task.params ? 'wipe');
    end if;
    return task.enqueue(v_task.kind, v_task.host_id, v_task.params, null);
end
$$;

revoke all on function task.retry(uuid) from public;

comment on function task.retry(uuid) is
'A person asks again for what a failed or canceled task was to do; returns the new task.';
