-- A webhook is tried again, at once and for another day, if it was failing or waited for its next try. The caller holds its
-- row.
create or replace function webhook.resume(p_webhook ccp.webhooks, p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform webhook.stop_waiting(p_webhook.id, p_reason);
    update ccp.webhook_deliveries
    set first_tried_at = null
    where webhook_id = p_webhook.id
        and delivered_at is null
        and first_tried_at is not null;
    update ccp.webhooks
    set
        failing_since = null,
        failing_reason = null,
        retry_at = null
    where id = p_webhook.id;
    if p_webhook.failing_since is null then
        return;
    end if;
    perform event.write(
        'webhook.restored', format('webhook %s is tried again: %s', p_webhook.label, p_reason),
        null, null, null, jsonb_build_object('webhook_id', p_webhook.id)
    );
end
$$;

revoke all on function webhook.resume(ccp.webhooks, text) from public;

comment on function webhook.resume(ccp.webhooks, text) is
'A webhook is tried again, at once and for another day.';
