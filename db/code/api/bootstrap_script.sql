-- GET /v1/bootstrap/script: what the script must know. Nothing of the request goes into it.
create or replace function api.bootstrap_script()
returns api.script
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select row(setting.text('public_url'), null)::api.script
$$;

revoke all on function api.bootstrap_script() from public;
grant execute on function api.bootstrap_script() to ccp_api;

comment on function api.bootstrap_script() is
'GET /v1/bootstrap/script: what the script must know.';
