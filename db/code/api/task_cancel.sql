-- POST /v1/admin/tasks/{id}/cancel: the answer is the task as it is then.
create or replace function api.task_cancel(p_login_id uuid, p_generation integer, p_id uuid)
returns api.task
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    perform task.stop(p_id);
    return api.task_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.task_cancel(uuid, integer, uuid) from public;
grant execute on function api.task_cancel(uuid, integer, uuid) to ccp_api;

comment on function api.task_cancel(uuid, integer, uuid) is
'POST /v1/admin/tasks/{id}/cancel.';
