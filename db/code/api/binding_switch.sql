-- POST /v1/admin/bindings?switch=true: gives a host another exit, while it runs or while it is at rest.
create or replace function api.binding_switch(
    p_login_id uuid,
    p_generation integer,
    p_host_id uuid,
    p_egress_ip_id uuid,
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
    v_ids jsonb := account.idempotency_begin('binding', p_idempotency_key, p_request_sha256);
begin
    return api.task_answer(
        '/v1/admin/tasks/', p_idempotency_key, coalesce((v_ids ->> 'task_id')::uuid, (host.switch(p_host_id, p_egress_ip_id)).id)
    );
end
$$;

revoke all on function api.binding_switch(uuid, integer, uuid, uuid, ccp.request_key, ccp.sha256) from public;
grant execute on function api.binding_switch(uuid, integer, uuid, uuid, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.binding_switch(uuid, integer, uuid, uuid, ccp.request_key, ccp.sha256) is
'POST /v1/admin/bindings?switch=true.';
