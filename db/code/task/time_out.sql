-- A task was stopped by its deadline: tried again if tries are left, else failed. The caller holds host and task.
create or replace function task.time_out(p_task ccp.task_rows, p_error_code text, p_error_message text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if task.has_tries(p_task) then
        perform task.queue_again(p_task, 'retry', clock.now() + interval '1 second', p_error_code, p_error_message);
    else
        perform task.finish(p_task, 'failed', p_error_code, p_error_message, true);
    end if;
end
$$;

revoke all on function task.time_out(ccp.task_rows, text, text) from public;

comment on function task.time_out(ccp.task_rows, text, text) is
'A task was stopped by its deadline: tried again or failed.';
