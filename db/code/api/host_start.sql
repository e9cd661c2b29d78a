-- POST /v1/admin/hosts/{id}/start.
create or replace function api.host_start(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.task_ref
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select api.host_task(p_login_id, p_generation, p_id, 'host.start', '{}', p_idempotency_key, p_request_sha256)
$$;

revoke all on function api.host_start(uuid, integer, uuid, ccp.request_key, ccp.sha256) from public;
grant execute on function api.host_start(uuid, integer, uuid, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.host_start(uuid, integer, uuid, ccp.request_key, ccp.sha256) is
'POST /v1/admin/hosts/{id}/start.';
