-- POST /v1/admin/egress-ips/{id}/test: proves an exit now; the task tells how it went, and the exit's list of tests.
create or replace function api.egress_ip_test(
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
    v_ids jsonb := account.idempotency_begin('egress ip test ' || p_id, p_idempotency_key, p_request_sha256);
begin
    return api.task_answer(
        '/v1/admin/tasks/', p_idempotency_key, coalesce((v_ids ->> 'task_id')::uuid, (egress.test(p_id)).id)
    );
end
$$;

revoke all on function api.egress_ip_test(uuid, integer, uuid, ccp.request_key, ccp.sha256) from public;
grant execute on function api.egress_ip_test(uuid, integer, uuid, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.egress_ip_test(uuid, integer, uuid, ccp.request_key, ccp.sha256) is
'POST /v1/admin/egress-ips/{id}/test.';
