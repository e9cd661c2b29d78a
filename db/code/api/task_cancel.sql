-- POST /v1/admin/tasks/{id}/cancel: a queued task ends at once, a running one is asked to stop; the answer is the task
-- as it is then. The task is locked before it is looked at, so what changes nothing, because it has been asked for or
-- done before, writes no event.
create or replace function api.task_cancel(p_login_id uuid, p_generation integer, p_id uuid)
returns api.task
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_task := task.lock(p_id);
    if v_task.id is null then
        perform api.not_found('task_not_found', 'task');
    end if;
    if v_task.status in ('succeeded', 'failed') then
        perform access.refuse('CP409', 'task_ended', format('This task has ended before: it is %s.', v_task.status));
    end if;
    if v_task.finished_at is null and v_task.stop_reason is distinct from 'canceled' then
        perform task.cancel(p_id, format('canceled by %s', (select a.who from account.actor() as a)));
        perform event.write(
            'info', 'admin.task.canceled', format('the end of a task %s was asked for', v_task.kind),
            v_task.user_id, v_task.host_id, p_id
        );
    end if;
    return api.task_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.task_cancel(uuid, integer, uuid) from public;
grant execute on function api.task_cancel(uuid, integer, uuid) to ccp_api;

comment on function api.task_cancel(uuid, integer, uuid) is
'POST /v1/admin/tasks/{id}/cancel.';
