-- POST /v1/admin/signing-keys/rotate: another key is to sign, and nobody is logged out.
create or replace function api.signing_key_rotate(
    p_login_id uuid,
    p_generation integer,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.signing_key
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('signing_key', p_idempotency_key, p_request_sha256);
    v_kid text := v_ids ->> 'kid';
    v_key api.signing_key;
begin
    if v_ids is null then
        v_kid := token.rotate();
        perform account.idempotency_save(p_idempotency_key, 200, jsonb_build_object('kid', v_kid));
    end if;
    select *
    into v_key
    from api.signing_key as k
    where k.kid = v_kid;
    if not found then
        perform api.not_found('signing_key_not_found', 'signing key');
    end if;
    return v_key;
end
$$;

revoke all on function api.signing_key_rotate(uuid, integer, ccp.request_key, ccp.sha256) from public;
grant execute on function api.signing_key_rotate(uuid, integer, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.signing_key_rotate(uuid, integer, ccp.request_key, ccp.sha256) is
'POST /v1/admin/signing-keys/rotate.';
