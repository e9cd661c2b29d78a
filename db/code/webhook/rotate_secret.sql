-- An administrator gives a webhook another secret, which comes sealed; what is sent from now on is signed with it alone.
create or replace function webhook.rotate_secret(p_id uuid, p_secret_sealed text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_webhook ccp.webhooks := webhook.find(p_id);
begin
    update ccp.webhooks
    set secret_sealed = p_secret_sealed
    where id = p_id;
    perform event.write(
        'admin.webhook.secret_rotated', format('webhook %s got another secret', v_webhook.label), null, null, null,
        jsonb_build_object('webhook_id', p_id)
    );
    perform webhook.resume(v_webhook, 'it got another secret');
end
$$;

revoke all on function webhook.rotate_secret(uuid, text) from public;
grant execute on function webhook.rotate_secret(uuid, text) to ccp_admin;

comment on function webhook.rotate_secret(uuid, text) is
'An administrator gives a webhook another secret.';
