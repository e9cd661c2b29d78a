-- Trigger of the view ccp.tasks: an insert is a request, and what RETURNING shows is the task's row.
create or replace function task.insert_from_view()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
begin
    if new.kind is null then
        perform access.refuse('CP422', 'invalid', 'a task needs a kind', '{"field": "kind"}', 'see ccp.rules');
    end if;
    v_task := task.enqueue(new.kind, new.host_id, new.params, new.idempotency_key);
    new.id := v_task.id;
    new.params := v_task.params;
    new.status := v_task.status;
    new.stage := v_task.stage;
    new.progress := v_task.progress;
    new.message := v_task.message;
    new.attempt := v_task.attempt;
    new.result := v_task.result;
    new.error_code := v_task.error_code;
    new.error_message := v_task.error_message;
    new.created_by := v_task.created_by;
    new.created_at := v_task.created_at;
    new.started_at := v_task.started_at;
    new.finished_at := v_task.finished_at;
    return new;
end
$$;

revoke all on function task.insert_from_view() from public;

comment on function task.insert_from_view() is
'Trigger: insert into ccp.tasks is task.enqueue().';
