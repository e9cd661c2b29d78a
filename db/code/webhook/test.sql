-- An administrator sends one message of type webhook.test now, past the queue; returns the task, which tells how it went.
-- Twice at once is one.
create or replace function webhook.test(p_id uuid)
returns ccp.task_rows
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_webhook ccp.webhooks := webhook.find(p_id);
    v_task ccp.task_rows;
begin
    v_task := task.submit('webhook.test', null, jsonb_build_object('webhook_id', p_id), null, null);
    perform event.write(
        'admin.webhook.tested', format('a test of webhook %s was asked for', v_webhook.label), null, null, v_task.id,
        jsonb_build_object('webhook_id', p_id)
    );
    return v_task;
end
$$;

revoke all on function webhook.test(uuid) from public;
grant execute on function webhook.test(uuid) to ccp_admin;

comment on function webhook.test(uuid) is
'An administrator sends one message now; returns the task.';
