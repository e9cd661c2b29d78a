-- POST /v1/admin/webhooks/{id}/rotate-secret. The secret comes sealed; the API puts it into the answer's place, once.
create or replace function api.webhook_rotate_secret(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_secret_sealed text,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.new_webhook_secret
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('webhook secret ' || p_id, p_idempotency_key, p_request_sha256);
begin
    if v_ids is null then
        perform webhook.rotate_secret(p_id, p_secret_sealed);
        perform account.idempotency_save(p_idempotency_key, 200, '{}');
    end if;
    return row(p_id, case when v_ids is null then '' end)::api.new_webhook_secret;
end
$$;

revoke all on function api.webhook_rotate_secret(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) from public;
grant execute on function api.webhook_rotate_secret(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.webhook_rotate_secret(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) is
'POST /v1/admin/webhooks/{id}/rotate-secret.';
