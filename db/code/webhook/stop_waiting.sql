-- The task that waits for a webhook's next try is canceled; what there is to send gets another one by the next tick.
create or replace function webhook.stop_waiting(p_webhook_id uuid, p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task_id uuid;
begin
    select t.id
    into v_task_id
    from ccp.task_rows as t
    where t.kind = 'webhook.deliver'
        and md5(t.params::text) = md5(jsonb_build_object('webhook_id', p_webhook_id)::text)
        and t.host_id is null
        and t.status = 'queued'
        and t.stop_requested_at is null;
    if found then
        perform task.cancel(v_task_id, p_reason);
    end if;
end
$$;

revoke all on function webhook.stop_waiting(uuid, text) from public;

comment on function webhook.stop_waiting(uuid, text) is
'The task that waits for a webhook''s next try is canceled.';
