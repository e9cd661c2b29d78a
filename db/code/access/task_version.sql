-- A digest of what a client of a long poll sees of a task: it changes whenever that client would want to know.
create or replace function access.task_version(p_task ccp.task_rows)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select left(md5(concat_ws(
        '|', p_task.status, p_task.stage, p_task.progress, p_task.message, p_task.attempt, p_task.error_code
    )), 16)
$$;

revoke all on function access.task_version(ccp.task_rows) from public;

comment on function access.task_version(ccp.task_rows) is
'Changes whenever a waiting client would want to know.';
