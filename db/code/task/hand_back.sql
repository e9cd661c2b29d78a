-- A program that stops gives a task back untouched: queued again, the try not counted. If it was asked to stop, or
-- another task waits for its host, it is canceled instead.
create or replace function task.hand_back(
    p_task_id uuid,
    p_lease bigint,
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
        if v_task.stop_requested_at is null and not task.has_follower(v_task) then
            perform task.queue_again(v_task, 'handed_back', clock.now());
        else
            perform task.finish(
                v_task, 'canceled', coalesce(v_task.stop_reason, 'superseded'), 'handed back when it was no longer wanted'
            );
        end if;
        return 'ok';
    end if;
    if v_task.reported_lease = p_lease and v_task.reported in ('handed_back', 'canceled') then
        return 'ok';
    end if;
    return 'stale';
end
$$;

revoke all on function task.hand_back(uuid, bigint, text, bigint) from public;
grant execute on function task.hand_back(uuid, bigint, text, bigint) to ccp_worker, ccp_agent;

comment on function task.hand_back(uuid, bigint, text, bigint) is
'A program that stops gives a task back: ok or stale.';
