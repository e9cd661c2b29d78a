-- A try has failed: retry (queued again, later) if that may help, tries are left, it was not asked to stop and no other
-- task waits for the host; else failed. Stale leases change nothing; the same report twice gets the same answer.
create or replace function task.fail(
    p_task_id uuid,
    p_lease bigint,
    p_error_code text,
    p_error_message text,
    p_retryable boolean,
    p_left_state text default null,
    p_sequence bigint default null
)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
begin
    v_task := task.lock(p_task_id);
    if v_task.lease = p_lease then
        perform task.require_holder(v_task.process_id);
        v_task.left_state := task.note_left(v_task, p_left_state, p_sequence);
        if p_retryable and v_task.stop_requested_at is null and task.has_tries(v_task) then
            perform task.queue_again(
                v_task, 'retry',
                task.try_again_at(v_task),
                p_error_code, p_error_message
            );
            return 'retry';
        end if;
        perform task.finish(v_task, 'failed', p_error_code, p_error_message, p_retryable);
        return 'failed';
    end if;
    if v_task.reported_lease = p_lease and v_task.reported in ('failed', 'retry') then
        return v_task.reported;
    end if;
    return 'stale';
end
$$;

revoke all on function task.fail(uuid, bigint, text, text, boolean, text, bigint) from public;
grant execute on function task.fail(uuid, bigint, text, text, boolean, text, bigint) to ccp_worker, ccp_agent;

comment on function task.fail(uuid, bigint, text, text, boolean, text, bigint) is
'A try has failed: retry, failed or stale.';
