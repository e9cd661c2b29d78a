-- What a route answers that has asked for a task, also when the same request came before, whose Idempotency-Key p_key is;
-- p_tasks: the list that has it.
create or replace function api.task_answer(p_tasks text, p_key text, p_task_id uuid)
returns api.task_ref
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.idempotency_save(p_key, 202, jsonb_build_object('task_id', p_task_id));
    return row(
        p_task_id, (select t.status from ccp.task_rows as t where t.id = p_task_id), p_tasks || p_task_id
    )::api.task_ref;
end
$$;

revoke all on function api.task_answer(text, text, uuid) from public;
grant execute on function api.task_answer(text, text, uuid) to ccp_as_user;

comment on function api.task_answer(text, text, uuid) is
'What a route answers that has asked for a task.';
