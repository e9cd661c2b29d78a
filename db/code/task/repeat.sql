-- An administrator asks again for what a failed or canceled task was to do; returns the new task, or the live one of an earlier
-- request.
create or replace function task.repeat(p_task_id uuid)
returns ccp.task_rows
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows := task.retry(p_task_id);
begin
    perform task.note_request(
        v_task, 'admin.task.retried', format('%s was asked for again', v_task.kind),
        jsonb_build_object('retried', p_task_id)
    );
    return v_task;
end
$$;

revoke all on function task.repeat(uuid) from public;
grant execute on function task.repeat(uuid) to ccp_admin;

comment on function task.repeat(uuid) is
'An administrator asks again for what a failed or canceled task was to do; returns the new task.';
