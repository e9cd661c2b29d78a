-- A webhook is failing: nothing more is sent until an administrator changes it or a test of it is taken. Its queue stays.
-- The caller holds its row.
create or replace function webhook.give_up(p_webhook ccp.webhooks, p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_webhook.failing_since is not null then
        return;
    end if;
    update ccp.webhooks
    set
        failing_since = clock.now(),
        failing_reason = left(p_reason, 2000)
    where id = p_webhook.id;
    perform event.write(
        'webhook.failing', format('webhook %s is failing and gets nothing more: %s', p_webhook.label, p_reason),
        null, null, null, jsonb_build_object('webhook_id', p_webhook.id)
    );
end
$$;

revoke all on function webhook.give_up(ccp.webhooks, text) from public;

comment on function webhook.give_up(ccp.webhooks, text) is
'A webhook is failing: nothing more is sent.';
