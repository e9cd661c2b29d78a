-- GET /v1/admin/webhooks/{id}.
create or replace function api.webhook_get(p_login_id uuid, p_generation integer, p_id uuid)
returns api.webhook
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_webhook api.webhook;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select *
    into v_webhook
    from api.webhook as w
    where w.id = p_id;
    if not found then
        perform api.not_found('webhook_not_found', 'webhook');
    end if;
    return v_webhook;
end
$$;

revoke all on function api.webhook_get(uuid, integer, uuid) from public;
grant execute on function api.webhook_get(uuid, integer, uuid) to ccp_api;

comment on function api.webhook_get(uuid, integer, uuid) is
'GET /v1/admin/webhooks/{id}.';
