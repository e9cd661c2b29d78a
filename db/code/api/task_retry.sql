-- POST /v1/admin/tasks/{id}/retry: asks again for what a failed or canceled task was to do, once per Idempotency-Key.
create or replace function api.task_retry(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.task_ref
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('retry ' || p_id, p_idempotency_key, p_request_sha256);
begin
    return api.task_answer(
        '/v1/admin/tasks/', p_idempotency_key, coalesce((v_ids ->> 'task_id')::uuid, (task.repeat(p_id)).id)
    );
end
$$;

revoke all on function api.task_retry(uuid, integer, uuid, ccp.request_key, ccp.sha256) from public;
grant execute on function api.task_retry(uuid, integer, uuid, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.task_retry(uuid, integer, uuid, ccp.request_key, ccp.sha256) is
'POST /v1/admin/tasks/{id}/retry.';
