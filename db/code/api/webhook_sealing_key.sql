-- The public key to which secrets of webhooks are sealed; null until a worker has made it.
create or replace function api.webhook_sealing_key()
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select setting.text('webhook_sealing_key')
$$;

revoke all on function api.webhook_sealing_key() from public;
grant execute on function api.webhook_sealing_key() to ccp_api;

comment on function api.webhook_sealing_key() is
'The public key to which secrets of webhooks are sealed; null until a worker has made it.';
