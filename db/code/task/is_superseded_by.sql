-- Whether a queued task is canceled by a request of that kind.
create or replace function task.is_superseded_by(p_queued ccp.task_rows, p_kind text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select p_kind = any (k.superseded_by)
    from ccp.task_kinds as k
    where k.kind = p_queued.kind
$$;

revoke all on function task.is_superseded_by(ccp.task_rows, text) from public;

comment on function task.is_superseded_by(ccp.task_rows, text) is
'Whether a queued task is canceled by a request of that kind.';
