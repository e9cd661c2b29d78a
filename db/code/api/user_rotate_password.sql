-- POST /v1/admin/users/{id}/rotate-password. The password comes hashed; the API puts it into the answer's place, once.
create or replace function api.user_rotate_password(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_password_hash text,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.new_password
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('user rotate ' || p_id, p_idempotency_key, p_request_sha256);
begin
    if v_ids is null then
        v_ids := jsonb_build_object('logins', account.rotate_password(p_id, p_password_hash), 'new', true);
        perform account.idempotency_save(p_idempotency_key, 200, v_ids - 'new');
    end if;
    return (
        select row(
            u.id, u.username, u.short_id, case when v_ids ? 'new' then '' end, (v_ids ->> 'logins')::integer
        )::api.new_password
        from api.user_get(p_login_id, p_generation, p_id) as u
    );
end
$$;

revoke all on function api.user_rotate_password(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) from public;
grant execute on function api.user_rotate_password(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.user_rotate_password(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) is
'POST /v1/admin/users/{id}/rotate-password.';
