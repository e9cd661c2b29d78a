-- An administrator cancels a task: a queued one ends at once, a running one is asked to stop. The task is locked before it is
-- looked at, so what changes nothing, because it has been asked for or done before, writes no event.
create or replace function task.stop(p_task_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows := task.lock(p_task_id);
begin
    if v_task.id is null then
        perform api.not_found('task_not_found', 'task');
    end if;
    if v_task.status in ('succeeded', 'failed') then
        perform access.refuse('CP409', 'task_ended', format('This task has ended before: it is %s.', v_task.status));
    end if;
    if v_task.finished_at is null and v_task.stop_reason is distinct from 'canceled' then
        perform task.cancel(p_task_id, format('canceled by %s', (select a.who from account.actor() as a)));
        perform event.write(
            'admin.task.canceled', format('the end of a task %s was asked for', v_task.kind),
            v_task.user_id, v_task.host_id, p_task_id
        );
    end if;
end
$$;

revoke all on function task.stop(uuid) from public;
grant execute on function task.stop(uuid) to ccp_admin;

comment on function task.stop(uuid) is
'An administrator cancels a task.';
