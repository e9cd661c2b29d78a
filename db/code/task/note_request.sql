-- Writes that an administrator asked for a task, once: a request that folds into a live task, for which an event of this type
-- has been written, adds none. The caller has enqueued it in this transaction, which held others with the same request back
-- until their events could be seen.
create or replace function task.note_request(p_task ccp.task_rows, p_type text, p_message text, p_metadata jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from ccp.events as e where e.task_id = p_task.id and e.type = p_type) then
        perform event.write(p_type, p_message, p_task.user_id, p_task.host_id, p_task.id, p_metadata);
    end if;
end
$$;

revoke all on function task.note_request(ccp.task_rows, text, text, jsonb) from public;

comment on function task.note_request(ccp.task_rows, text, text, jsonb) is
'Writes that an administrator asked for a task, once for all requests that fold into it.';
