-- An administrator deletes a webhook. What was queued for it, which nobody can see any more, goes with its age.
create or replace function webhook.remove(p_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_webhook ccp.webhooks := webhook.find(p_id);
begin
    delete from ccp.webhooks where id = p_id;
    perform webhook.stop_waiting(p_id, 'the webhook was deleted');
    perform event.write(
        'admin.webhook.deleted', format('webhook %s was deleted', v_webhook.label), null, null, null,
        jsonb_build_object('webhook_id', p_id)
    );
end
$$;

revoke all on function webhook.remove(uuid) from public;
grant execute on function webhook.remove(uuid) to ccp_admin;

comment on function webhook.remove(uuid) is
'An administrator deletes a webhook.';
