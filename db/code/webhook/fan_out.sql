-- Queues an event for each webhook that chose its type, in the transaction that writes the event: there is a delivery
-- exactly if there is the event. Waits for nothing. One that is failing keeps its place in the queue, one that is disabled
-- gets nothing. Of two transactions the one that began to write first may come second: what one could see of the other is in
-- order.
create or replace function webhook.fan_out(p_event_id bigint, p_at timestamptz, p_type text)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into ccp.webhook_deliveries (webhook_id, event_id, event_at, event_type)
    select w.id, p_event_id, p_at, p_type
    from ccp.webhooks as w
    where w.status = 'active'
        and (w.event_types is null or p_type = any (w.event_types::text[]))
$$;

revoke all on function webhook.fan_out(bigint, timestamptz, text) from public;

comment on function webhook.fan_out(bigint, timestamptz, text) is
'Queues an event for each webhook that chose its type.';
