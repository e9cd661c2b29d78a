-- POST /v1/admin/tasks/{id}/cancel: the answer is the task as it is then. Once per Idempotency-Key.
create or replace function api.task_cancel(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.task
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    if account.idempotency_begin('cancel ' || p_id, p_idempotency_key, p_request_sha256) is null then
        perform task.stop(p_id);
        perform account.idempotency_save(p_idempotency_key, 200, '{}');
    end if;
    return api.task_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.task_cancel(uuid, integer, uuid, ccp.request_key, ccp.sha256) from public;
grant execute on function api.task_cancel(uuid, integer, uuid, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.task_cancel(uuid, integer, uuid, ccp.request_key, ccp.sha256) is
'POST /v1/admin/tasks/{id}/cancel.';
