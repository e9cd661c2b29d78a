-- POST /v1/admin/users: makes a user. The password comes hashed; a generated one is put into the answer's place by the
-- API, once.
create or replace function api.user_create(
    p_login_id uuid,
    p_generation integer,
    p_username ccp.username,
    p_password_hash text,
    p_role ccp.role default 'user',
    p_expires_at timestamptz default null,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.new_user
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('user', p_idempotency_key, p_request_sha256);
    v_id uuid := (v_ids ->> 'id')::uuid;
    v_user api.user;
begin
    if v_ids is null then
        v_id := account.add(p_username, p_password_hash, p_role, p_expires_at);
        perform account.idempotency_save(p_idempotency_key, 201, jsonb_build_object('id', v_id));
    end if;
    v_user := api.user_get(p_login_id, p_generation, v_id);
    return row(
        v_user.id, v_user.username, v_user.short_id, v_user.role, v_user.status, v_user.expires_at, v_user.version,
        v_user.created_at, case when v_ids is null then '' end
    )::api.new_user;
end
$$;

revoke all on function api.user_create(
    uuid, integer, ccp.username, text, ccp.role, timestamptz, ccp.request_key, ccp.sha256
) from public;
grant execute on function api.user_create(
    uuid, integer, ccp.username, text, ccp.role, timestamptz, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.user_create(uuid, integer, ccp.username, text, ccp.role, timestamptz, ccp.request_key, ccp.sha256) is
'POST /v1/admin/users: makes a user.';
