-- Locks a task for a report, in the one order: its host's row, then its own. Null if it does not exist.
create or replace function task.lock(p_task_id uuid)
returns ccp.task_rows
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host_id uuid;
    v_task ccp.task_rows;
begin
    select t.host_id
    into v_host_id
    from ccp.task_rows as t
    where t.id = p_task_id;
    if v_host_id is not null then
        perform from ccp.hosts as h where h.id = v_host_id for no key update;
    end if;
    select t.*
    into v_task
    from ccp.task_rows as t
    where t.id = p_task_id
    for no key update;
    return v_task;
end
$$;

revoke all on function task.lock(uuid) from public;

comment on function task.lock(uuid) is
'Locks a task and its host, host first; returns the task.';
