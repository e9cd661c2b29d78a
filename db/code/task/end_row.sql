-- Ends a task's row and nothing else. The caller holds host and task.
create or replace function task.end_row(
    p_task ccp.task_rows,
    p_status text,
    p_error_code text,
    p_error_message text,
    p_retryable boolean default null,
    p_result jsonb default null
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update ccp.task_rows
    set
        status = p_status,
        finished_at = clock.now(),
        reported = case when p_task.lease is null then reported else p_status end,
        reported_lease = coalesce(p_task.lease, reported_lease),
        left_state = p_task.left_state,
        lease = null,
        process_id = null,
        deadline_at = null,
        result = p_result,
        error_code = p_error_code,
        error_message = left(p_error_message, 2000),
        retryable = p_retryable,
        progress = case p_status when 'succeeded' then 100 else progress end
    where id = p_task.id;
end
$$;

revoke all on function task.end_row(ccp.task_rows, text, text, text, boolean, jsonb) from public;

comment on function task.end_row(ccp.task_rows, text, text, text, boolean, jsonb) is
'Ends a task''s row and nothing else.';
