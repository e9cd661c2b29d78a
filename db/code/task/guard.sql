-- Trigger: a task takes only the steps of ccp.task_edges, for every role. Changes nothing else.
create or replace function task.guard()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from ccp.task_edges as e
        where e.from_status = old.status and e.to_status = new.status
    ) then
        perform access.refuse(
            'CP409', 'step_not_allowed', format('a task may not go from %s to %s', old.status, new.status),
            jsonb_build_object('task_id', old.id, 'from', old.status, 'to', new.status),
            'ccp.task_edges lists the allowed steps'
        );
    end if;
    return new;
end
$$;

revoke all on function task.guard() from public;

comment on function task.guard() is
'Trigger: a task takes only the steps of ccp.task_edges.';
