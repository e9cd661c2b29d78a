-- When a task is tried again whose try has just failed: a second after the first, then twice as long each time, up to its kind's
-- longest pause.
create or replace function task.try_again_at(p_task ccp.task_rows)
returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select clock.now() + least(interval '1 second' * power(2, least(p_task.attempt - 1, 20)), k.pause_max)
    from ccp.task_kinds as k
    where k.kind = p_task.kind
$$;

revoke all on function task.try_again_at(ccp.task_rows) from public;

comment on function task.try_again_at(ccp.task_rows) is
'When a task is tried again whose try has just failed.';
