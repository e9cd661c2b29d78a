-- Whether a request of a kind may wait behind a running task: it stops that task, or it can wait and can begin from
-- (or is already satisfied by) what that task leaves behind.
create or replace function task.can_queue_behind(p_running ccp.task_rows, p_kind ccp.task_kinds)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select p_kind.kind = any (k.stopped_by)
        or (p_kind.waits and (k.done_status = any (p_kind.from_statuses) or k.done_status = p_kind.done_status))
    from ccp.task_kinds as k
    where k.kind = p_running.kind
$$;

revoke all on function task.can_queue_behind(ccp.task_rows, ccp.task_kinds) from public;

comment on function task.can_queue_behind(ccp.task_rows, ccp.task_kinds) is
'Whether a request of a kind may wait behind a running task.';
