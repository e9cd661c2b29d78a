-- Refuses a request because of a live task, with CP409 and DETAIL {task_id, kind}.
create or replace function task.conflict(p_task ccp.task_rows, p_kind text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.refuse(
        'CP409', 'host_busy', format('%s has to wait: %s is %s', p_kind, p_task.kind, p_task.status),
        jsonb_build_object('task_id', p_task.id, 'kind', p_task.kind),
        'ask again when that task has ended'
    );
end
$$;

revoke all on function task.conflict(ccp.task_rows, text) from public;

comment on function task.conflict(ccp.task_rows, text) is
'Refuses a request because of a live task: CP409 with {task_id, kind}.';
