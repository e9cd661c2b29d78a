-- Notes the step a running task is in and tells whether to go on: ok, stop (asked to), stale (not yours any more).
create or replace function task.progress(
    p_task_id uuid,
    p_lease bigint,
    p_stage text,
    p_progress integer,
    p_message text
)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_stop timestamptz;
    v_process_id bigint;
begin
    update ccp.task_rows
    set
        stage = p_stage,
        progress = p_progress,
        message = left(p_message, 2000),
        progressed_at = clock.now()
    where id = p_task_id
        and lease = p_lease
        and status = 'running'
    returning stop_requested_at, process_id into v_stop, v_process_id;
    if not found then
        return 'stale';
    end if;
    perform task.require_holder(v_process_id);
    if v_stop is not null then
        return 'stop';
    end if;
    return 'ok';
end
$$;

revoke all on function task.progress(uuid, bigint, text, integer, text) from public;
grant execute on function task.progress(uuid, bigint, text, integer, text) to ccp_worker, ccp_agent;

comment on function task.progress(uuid, bigint, text, integer, text) is
'Notes the step a running task is in: ok, stop or stale.';
