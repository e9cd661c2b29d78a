-- A webhook, locked; refused with CP404 when there is none.
create or replace function webhook.find(p_id uuid)
returns ccp.webhooks
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_webhook ccp.webhooks;
begin
    select w.*
    into v_webhook
    from ccp.webhooks as w
    where w.id = p_id
    for no key update;
    if not found then
        perform api.not_found('webhook_not_found', 'webhook');
    end if;
    return v_webhook;
end
$$;

revoke all on function webhook.find(uuid) from public;

comment on function webhook.find(uuid) is
'A webhook, locked.';
