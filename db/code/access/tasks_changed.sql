-- Which of the tasks that long polls wait for have changed since the versions they know, or are gone. One call serves
-- all waiting clients after a doorbell.
create or replace function access.tasks_changed(p_task_ids uuid[], p_versions text[])
returns table (task_id uuid, known_version text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select w.task_id, w.version
    from unnest(p_task_ids, p_versions) as w (task_id, version)
    left join ccp.task_rows as t on t.id = w.task_id
    where t.id is null
        or access.task_version(t) <> w.version
$$;

revoke all on function access.tasks_changed(uuid[], text[]) from public;
grant execute on function access.tasks_changed(uuid[], text[]) to ccp_api;

comment on function access.tasks_changed(uuid[], text[]) is
'Which of the tasks that long polls wait for have changed since the versions they know.';
