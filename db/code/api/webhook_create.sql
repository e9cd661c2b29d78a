-- POST /v1/admin/webhooks: makes a webhook. The secret comes sealed; the API puts it into the answer's place, once.
create or replace function api.webhook_create(
    p_login_id uuid,
    p_generation integer,
    p_label ccp.label,
    p_url ccp.webhook_url,
    p_secret_sealed text,
    p_event_types ccp.event_type[] default null,
    p_status ccp.activation default 'active',
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.new_webhook
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('webhook', p_idempotency_key, p_request_sha256);
    v_id uuid := (v_ids ->> 'id')::uuid;
    v_webhook api.webhook;
begin
    if v_ids is null then
        v_id := webhook.add(p_label, p_url, p_secret_sealed, p_event_types, p_status);
        perform account.idempotency_save(p_idempotency_key, 201, jsonb_build_object('id', v_id));
    end if;
    v_webhook := api.webhook_get(p_login_id, p_generation, v_id);
    return row(
        v_webhook.id, v_webhook.label, v_webhook.url, v_webhook.event_types, v_webhook.status, v_webhook.version,
        v_webhook.created_at, case when v_ids is null then '' end
    )::api.new_webhook;
end
$$;

revoke all on function api.webhook_create(
    uuid, integer, ccp.label, ccp.webhook_url, text, ccp.event_type[], ccp.activation, ccp.request_key, ccp.sha256
) from public;
grant execute on function api.webhook_create(
    uuid, integer, ccp.label, ccp.webhook_url, text, ccp.event_type[], ccp.activation, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.webhook_create(
    uuid, integer, ccp.label, ccp.webhook_url, text, ccp.event_type[], ccp.activation, ccp.request_key, ccp.sha256
) is
'POST /v1/admin/webhooks: makes a webhook.';
