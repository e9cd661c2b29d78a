-- Trigger, for rows that have not ended: a live task is canceled, not deleted.
create or replace function task.guard_delete()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.refuse(
        'CP409', 'task_is_live', format('task %s is %s: its row cannot be deleted', old.id, old.status),
        jsonb_build_object('task_id', old.id), 'select task.cancel(id, reason)'
    );
    return null;
end
$$;

revoke all on function task.guard_delete() from public;

comment on function task.guard_delete() is
'Trigger: a live task is canceled, not deleted.';
