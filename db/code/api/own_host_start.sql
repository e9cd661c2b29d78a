-- POST /v1/user/hosts/{id}/start.
create or replace function api.own_host_start(
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
    select api.own_host_task(p_login_id, p_generation, p_id, 'host.start', p_idempotency_key, p_request_sha256)
$$;

alter function api.own_host_start(uuid, integer, uuid, ccp.request_key, ccp.sha256) owner to ccp_as_user;
revoke all on function api.own_host_start(uuid, integer, uuid, ccp.request_key, ccp.sha256) from public;
grant execute on function api.own_host_start(uuid, integer, uuid, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.own_host_start(uuid, integer, uuid, ccp.request_key, ccp.sha256) is
'POST /v1/user/hosts/{id}/start.';
