-- PATCH /v1/admin/webhooks/{id}: what is absent stays.
create or replace function api.webhook_update(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_label ccp.label default null,
    p_url ccp.webhook_url default null,
    p_event_types ccp.event_type[] default null,
    p_status ccp.activation default null,
    p_nulls text[] default '{}',
    p_if_match text default null
)
returns api.webhook
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    perform webhook.edit(
        p_id,
        api.changes(
            jsonb_build_object('label', p_label, 'url', p_url, 'event_types', p_event_types, 'status', p_status), p_nulls
        ),
        p_if_match
    );
    return api.webhook_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.webhook_update(
    uuid, integer, uuid, ccp.label, ccp.webhook_url, ccp.event_type[], ccp.activation, text[], text
) from public;
grant execute on function api.webhook_update(
    uuid, integer, uuid, ccp.label, ccp.webhook_url, ccp.event_type[], ccp.activation, text[], text
) to ccp_api;

comment on function api.webhook_update(
    uuid, integer, uuid, ccp.label, ccp.webhook_url, ccp.event_type[], ccp.activation, text[], text
) is
'PATCH /v1/admin/webhooks/{id}.';
