-- GET /entry/{short_id}: what the script must know. Whether there is such a host is not looked up, so that nobody learns
-- it here: the id goes into the script as small letters and digits, and the password decides.
create or replace function api.entry_script(p_short_id api.short_id)
returns api.script
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select row(setting.text('public_url'), lower(p_short_id))::api.script
$$;

revoke all on function api.entry_script(api.short_id) from public;
grant execute on function api.entry_script(api.short_id) to ccp_api;

comment on function api.entry_script(api.short_id) is
'GET /entry/{short_id}: what the script must know.';
