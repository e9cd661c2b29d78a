-- A running task goes back into the queue. The caller holds host and task and has seen that its place is free.
create or replace function task.queue_again(
    p_task ccp.task_rows,
    p_reported text,
    p_run_at timestamptz,
    p_error_code text default null,
    p_error_message text default null
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update ccp.task_rows
    set
        status = 'queued',
        run_at = p_run_at,
        attempt = attempt - (p_reported is distinct from 'retry')::integer,
        losses = losses + (p_reported is null)::integer,
        reported = case when p_task.lease is null then reported else p_reported end,
        reported_lease = case when p_task.lease is null then reported_lease else p_task.lease end,
        left_state = p_task.left_state,
        lease = null,
        process_id = null,
        deadline_at = null,
        stop_requested_at = null,
        stop_reason = null,
        error_code = p_error_code,
        error_message = left(p_error_message, 2000)
    where id = p_task.id;
    perform pg_notify(p_task.queue, '');
end
$$;

revoke all on function task.queue_again(ccp.task_rows, text, timestamptz, text, text) from public;

comment on function task.queue_again(ccp.task_rows, text, timestamptz, text, text) is
'A running task goes back into the queue: a retry counts as a try, a hand-back does not, a loss counts as a loss.';
