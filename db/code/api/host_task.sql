-- POST /v1/admin/hosts/{id}/start, stop, verify and rebuild, DELETE /v1/admin/hosts/{id}: enqueues the route's kind of task in
-- an admin's name, once per Idempotency-Key.
create or replace function api.host_task(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_kind text,
    p_mode ccp.home_mode default null,
    p_wipe boolean default null,
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
    v_ids jsonb := account.idempotency_begin(p_kind || ' ' || p_id, p_idempotency_key, p_request_sha256);
begin
    return api.task_answer(
        '/v1/admin/tasks/', p_idempotency_key,
        coalesce(
            (v_ids ->> 'task_id')::uuid,
            (host.act(p_id, p_kind, jsonb_strip_nulls(jsonb_build_object('mode', p_mode, 'wipe', p_wipe::text)))).id
        )
    );
end
$$;

revoke all on function api.host_task(uuid, integer, uuid, text, ccp.home_mode, boolean, ccp.request_key, ccp.sha256) from public;
grant execute on function api.host_task(
    uuid, integer, uuid, text, ccp.home_mode, boolean, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.host_task(uuid, integer, uuid, text, ccp.home_mode, boolean, ccp.request_key, ccp.sha256) is
'POST /v1/admin/hosts/{id}/start, stop, verify and rebuild, DELETE /v1/admin/hosts/{id}.';
