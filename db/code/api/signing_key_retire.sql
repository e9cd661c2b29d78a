-- POST /v1/admin/signing-keys/{kid}/retire: its tokens are refused from now on.
create or replace function api.signing_key_retire(
    p_login_id uuid,
    p_generation integer,
    p_kid ccp.kid,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('retire ' || p_kid, p_idempotency_key, p_request_sha256);
begin
    if v_ids is null then
        perform token.retire(p_kid);
        perform account.idempotency_save(p_idempotency_key, 204, '{}');
    end if;
end
$$;

revoke all on function api.signing_key_retire(uuid, integer, ccp.kid, ccp.request_key, ccp.sha256) from public;
grant execute on function api.signing_key_retire(uuid, integer, ccp.kid, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.signing_key_retire(uuid, integer, ccp.kid, ccp.request_key, ccp.sha256) is
'POST /v1/admin/signing-keys/{kid}/retire.';
