-- Whether a task may be queued again: tries are left and no other task waits for its host.
create or replace function task.has_tries(p_task ccp.task_rows)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select p_task.attempt < k.attempts_max and not task.has_follower(p_task)
    from ccp.task_kinds as k
    where k.kind = p_task.kind
$$;

revoke all on function task.has_tries(ccp.task_rows) from public;

comment on function task.has_tries(ccp.task_rows) is
'Whether a failed try of a task is followed by another.';
