-- The public key to which exit secrets are sealed; null until an agent has made it.
create or replace function api.sealing_key()
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select setting.text('sealing_key')
$$;

revoke all on function api.sealing_key() from public;
grant execute on function api.sealing_key() to ccp_api;

comment on function api.sealing_key() is
'The public key to which exit secrets are sealed; null until an agent has made it.';
