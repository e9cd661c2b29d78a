-- A task has lost its process, if it still runs under that lease: queued again at once, unless it was asked to stop,
-- another task waits for its host, or it has lost too many: then it fails, because its progress is unknown.
create or replace function task.release_orphan(p_task_id uuid, p_lease bigint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
    v_again boolean;
begin
    v_task := task.lock(p_task_id);
    if v_task.lease is distinct from p_lease then
        return false;
    end if;
    select v_task.stop_requested_at is null and v_task.losses + 1 < k.losses_max and not task.has_follower(v_task)
    into v_again
    from ccp.task_kinds as k
    where k.kind = v_task.kind;
    perform event.write(
        'reconcile.task.stale',
        format('%s lost its process and %s', v_task.kind, case when v_again then 'is queued again' else 'has failed' end),
        v_task.user_id, v_task.host_id, v_task.id,
        jsonb_build_object('process_id', v_task.process_id, 'attempt', v_task.attempt)
    );
    -- Not a report: one that still comes with this lease is stale.
    v_task.lease := null;
    if v_again then
        perform task.queue_again(v_task, null, clock.now());
    elsif v_task.stop_requested_at is not null and v_task.stop_reason <> 'deadline' then
        perform task.finish(
            v_task, 'canceled', v_task.stop_reason, 'its process died while it was being stopped', null, null,
            (select k.failed_status from ccp.task_kinds as k where k.kind = v_task.kind)
        );
    elsif v_task.stop_reason = 'deadline' then
        perform task.time_out(v_task, 'deadline', 'did not end in time and its process was declared dead');
    else
        perform task.finish(v_task, 'failed', 'lost', 'its process died', true);
    end if;
    return true;
end
$$;

revoke all on function task.release_orphan(uuid, bigint) from public;

comment on function task.release_orphan(uuid, bigint) is
'A task has lost its process: queued again or failed by its kind''s rules; false if it does not run under that lease.';
