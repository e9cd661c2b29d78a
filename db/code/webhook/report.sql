-- How a try went; p_error is null when the receiver took the message. Answers ok, again (later), failing (the webhook is:
-- its message was not taken for a day, or the receiver said that it is gone for good) or stale (the task is not yours any
-- more: nothing changes). The same message may be reported by two tasks, one of which had to stop: the first that was taken
-- counts. A receiver that answers 429 or 503 may say how long it wants to be left alone (Retry-After, in seconds): nothing of
-- the queue is sent so long, but at most for the longest pause between two tries.
create or replace function webhook.report(
    p_task_id uuid,
    p_lease bigint,
    p_event_id bigint,
    p_response_status integer,
    p_error text,
    p_retry_after_s bigint default null
)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
    v_webhook ccp.webhooks;
    v_first timestamptz;
    v_retry_at timestamptz;
begin
    select t.*
    into v_task
    from ccp.task_rows as t
    where t.id = p_task_id and t.lease = p_lease;
    if not found then
        return 'stale';
    end if;
    perform task.require_holder(v_task.process_id);
    select w.*
    into v_webhook
    from ccp.webhooks as w
    where w.id = (v_task.params ->> 'webhook_id')::uuid
    for no key update;
    if not found then
        return 'stale';
    elsif v_task.kind = 'webhook.test' then
        if p_error is null then
            perform webhook.resume(v_webhook, 'a test of it was taken');
            return 'ok';
        end if;
        return 'again';
    end if;
    update ccp.webhook_deliveries as d
    set
        attempts = d.attempts + 1,
        response_status = p_response_status,
        error_message = left(p_error, 2000),
        first_tried_at = coalesce(d.first_tried_at, clock.now()),
        tried_at = clock.now(),
        delivered_at = case when p_error is null then clock.now() end
    where d.webhook_id = v_webhook.id
        and d.event_id = p_event_id
        and d.delivered_at is null
    returning d.first_tried_at into v_first;
    if not found then
        return 'ok';
    end if;
    if p_error is not null and p_response_status in (429, 503) then
        v_retry_at := webhook.retry_at(p_retry_after_s);
    end if;
    update ccp.webhooks
    set retry_at = v_retry_at
    where id = v_webhook.id
        and retry_at is distinct from v_retry_at;
    if p_error is null then
        return 'ok';
    elsif v_first > clock.now() - interval '1 day' and p_response_status is distinct from 410 then
        return 'again';
    end if;
    perform webhook.give_up(v_webhook, p_error);
    return 'failing';
end
$$;

revoke all on function webhook.report(uuid, bigint, bigint, integer, text, bigint) from public;
grant execute on function webhook.report(uuid, bigint, bigint, integer, text, bigint) to ccp_worker;

comment on function webhook.report(uuid, bigint, bigint, integer, text, bigint) is
'How a try went: ok, again, failing or stale.';
