-- The task stopped because it was asked to. If the deadline asked, it is a failure that may be tried again.
create or replace function task.canceled(
    p_task_id uuid,
    p_lease bigint,
    p_message text,
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
        if v_task.stop_reason = 'deadline' then
            perform task.time_out(v_task, 'deadline', 'did not end in time and was stopped');
        else
            perform task.finish(v_task, 'canceled', coalesce(v_task.stop_reason, 'canceled'), p_message);
        end if;
        return 'ok';
    end if;
    if v_task.reported_lease = p_lease and (
        v_task.reported = 'canceled' or (v_task.reported in ('failed', 'retry') and v_task.error_code = 'deadline')
    ) then
        return 'ok';
    end if;
    return 'stale';
end
$$;

revoke all on function task.canceled(uuid, bigint, text, text, bigint) from public;
grant execute on function task.canceled(uuid, bigint, text, text, bigint) to ccp_worker, ccp_agent;

comment on function task.canceled(uuid, bigint, text, text, bigint) is
'The task stopped because it was asked to: ok or stale.';
