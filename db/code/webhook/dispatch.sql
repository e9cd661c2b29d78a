-- A rule of the tick: a task for each webhook that has something to send, unless one is there. So a webhook has one task at
-- a time, which keeps the order, and those who write events never wait for each other here.
create or replace function webhook.dispatch()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_params jsonb;
begin
    for v_params in
        select jsonb_build_object('webhook_id', w.id)
        from ccp.webhooks as w
        where w.status = 'active'
            and w.failing_since is null
            and (w.retry_at is null or w.retry_at <= clock.now())
            and exists (
                select
                from ccp.webhook_deliveries as d
                where d.webhook_id = w.id and d.delivered_at is null
            )
        order by w.id
    loop
        -- The same live task comes back; one that was asked to stop, and has not yet, is waited for.
        if not exists (
            select
            from ccp.task_rows as t
            where t.status = 'running'
                and t.kind = 'webhook.deliver'
                and t.params::jsonb = v_params
        ) then
            perform task.submit('webhook.deliver', null, v_params, null, 'tick');
        end if;
    end loop;
end
$$;

revoke all on function webhook.dispatch() from public;

comment on function webhook.dispatch() is
'A rule of the tick: a task for each webhook that has something to send.';
