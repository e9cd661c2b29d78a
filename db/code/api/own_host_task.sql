-- POST /v1/user/hosts/{id}/start, stop and rebuild: enqueues one of these kinds for one of my hosts, once per
-- Idempotency-Key. A rebuild is what helps a user who has locked himself out.
create or replace function api.own_host_task(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_kind text,
    p_mode ccp.home_mode default null,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.task_ref
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_ids jsonb := account.idempotency_begin(p_kind || ' ' || p_id, p_idempotency_key, p_request_sha256);
    v_task_id uuid := (v_ids ->> 'task_id')::uuid;
begin
    if p_kind not in ('host.start', 'host.stop', 'host.rebuild') then
        perform access.refuse('CP403', 'forbidden', format('%s is not for users', p_kind), '{}', 'ask an admin');
    end if;
    if v_task_id is null then
        if not exists (
            select
            from api.host as h
            where h.id = p_id
                and h.user_id = v_user_id
        ) then
            perform api.not_found('host_not_found', 'host');
        end if;
        v_task_id := (task.enqueue(p_kind, p_id, jsonb_strip_nulls(jsonb_build_object('mode', p_mode)), null)).id;
    end if;
    return api.task_answer('/v1/user/tasks/', p_idempotency_key, v_task_id);
end
$$;

alter function api.own_host_task(uuid, integer, uuid, text, ccp.home_mode, ccp.request_key, ccp.sha256) owner to ccp_as_user;
revoke all on function api.own_host_task(uuid, integer, uuid, text, ccp.home_mode, ccp.request_key, ccp.sha256) from public;
grant execute on function api.own_host_task(uuid, integer, uuid, text, ccp.home_mode, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.own_host_task(uuid, integer, uuid, text, ccp.home_mode, ccp.request_key, ccp.sha256) is
'POST /v1/user/hosts/{id}/start, stop and rebuild.';
