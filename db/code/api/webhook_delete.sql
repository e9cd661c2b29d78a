-- DELETE /v1/admin/webhooks/{id}.
create or replace function api.webhook_delete(p_login_id uuid, p_generation integer, p_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    perform webhook.remove(p_id);
end
$$;

revoke all on function api.webhook_delete(uuid, integer, uuid) from public;
grant execute on function api.webhook_delete(uuid, integer, uuid) to ccp_api;

comment on function api.webhook_delete(uuid, integer, uuid) is
'DELETE /v1/admin/webhooks/{id}.';
