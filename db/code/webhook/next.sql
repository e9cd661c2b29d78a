-- What a task is to send now: for webhook.deliver the first of its webhook's queue, for webhook.test a message of its own.
-- Nothing: the queue is empty, the webhook is gone, switched off, failing or wants to be left alone, the task was asked to stop
-- or is another's, or an earlier task of the webhook, which was asked to stop, has not ended. The body is the event as the API
-- shows it. The same event has the same id however often it is sent: that is how a receiver knows it.
create or replace function webhook.next(p_task_id uuid, p_lease bigint)
returns table (event_id bigint, message_id text, body text, url text, secret_sealed text)
language plpgsql
set timezone = 'UTC'
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_task ccp.task_rows;
    v_webhook ccp.webhooks;
begin
    select t.*
    into v_task
    from ccp.task_rows as t
    where t.id = p_task_id
        and t.lease = p_lease
        and t.stop_requested_at is null;
    if not found then
        return;
    end if;
    perform task.require_holder(v_task.process_id);
    select w.*
    into v_webhook
    from ccp.webhooks as w
    where w.id = (v_task.params ->> 'webhook_id')::uuid;
    if v_task.kind = 'webhook.test' then
        return query
        select
            null::bigint, 'test_' || p_task_id,
            webhook.message('webhook.test', v_task.created_at, jsonb_build_object('message', 'a test of this webhook')),
            v_webhook.url::text, v_webhook.secret_sealed
        where v_webhook.id is not null;
        return;
    end if;
    if v_webhook.status is distinct from 'active'
        or v_webhook.failing_since is not null
        or v_webhook.retry_at > clock.now()
        or exists (
            select
            from ccp.task_rows as r
            where r.status = 'running'
                and r.lease < p_lease
                and r.kind = v_task.kind
                and r.params::jsonb = v_task.params::jsonb
        )
    then
        return;
    end if;
    return query
    select
        d.event_id, 'evt_' || d.event_id, webhook.message(e.type, e.time, to_jsonb(e)), v_webhook.url::text,
        v_webhook.secret_sealed
    from ccp.webhook_deliveries as d
    join api.event as e on e.time = d.event_at and e.id = d.event_id::text
    where d.webhook_id = v_webhook.id and d.delivered_at is null
    order by d.event_id
    limit 1;
end
$$;

revoke all on function webhook.next(uuid, bigint) from public;
grant execute on function webhook.next(uuid, bigint) to ccp_worker;

comment on function webhook.next(uuid, bigint) is
'What a task of a webhook is to send now.';
