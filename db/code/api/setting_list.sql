-- GET /v1/admin/settings: all of them, by name; db/rules/settings.sql says how many that are.
create or replace function api.setting_list(p_login_id uuid, p_generation integer)
returns api.setting_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    return row(array(select s from api.setting as s order by s.name), null)::api.setting_page;
end
$$;

revoke all on function api.setting_list(uuid, integer) from public;
grant execute on function api.setting_list(uuid, integer) to ccp_api;

comment on function api.setting_list(uuid, integer) is
'GET /v1/admin/settings.';
