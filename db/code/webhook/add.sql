-- An administrator makes a webhook; returns its id. The secret comes sealed to the worker, which alone opens it. There are
-- 32 at most, because each event asks all of them; two that are made at once may pass that.
create or replace function webhook.add(
    p_label ccp.label,
    p_url ccp.webhook_url,
    p_secret_sealed text,
    p_event_types ccp.event_type[] default null,
    p_status ccp.activation default 'active'
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    perform webhook.check_url(p_url);
    if (select count(*) from ccp.webhooks) >= 32 then
        perform access.refuse('CP409', 'too_many_webhooks', 'There are 32 webhooks, which is as many as may be.');
    end if;
    insert into ccp.webhooks (label, url, secret_sealed, event_types, status)
    values (p_label, p_url, p_secret_sealed, p_event_types, p_status)
    returning id into v_id;
    perform event.write(
        'admin.webhook.created', format('webhook %s was made', p_label), null, null, null,
        jsonb_build_object('webhook_id', v_id, 'event_types', p_event_types)
    );
    return v_id;
end
$$;

revoke all on function webhook.add(ccp.label, ccp.webhook_url, text, ccp.event_type[], ccp.activation) from public;
grant execute on function webhook.add(ccp.label, ccp.webhook_url, text, ccp.event_type[], ccp.activation) to ccp_admin;

comment on function webhook.add(ccp.label, ccp.webhook_url, text, ccp.event_type[], ccp.activation) is
'An administrator makes a webhook; returns its id.';
