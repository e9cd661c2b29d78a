-- What is left of the host of a task that is not running: as its last try reported, or, if it has had none, as a living agent
-- last saw it; null: not known.
create or replace function task.left_state(p_task ccp.task_rows)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_task.started_at is not null then p_task.left_state
        else (
            select o.state
            from ccp.observations as o
            join ccp.processes as p on p.id = o.process_id
            where o.host_id = p_task.host_id
                and p.ended_at is null
        )
    end
$$;

revoke all on function task.left_state(ccp.task_rows) from public;

comment on function task.left_state(ccp.task_rows) is
'What is left of the host of a task that does not run; null: not known.';
