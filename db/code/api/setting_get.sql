-- GET /v1/admin/settings/{name}.
create or replace function api.setting_get(p_login_id uuid, p_generation integer, p_name ccp.setting_name)
returns api.setting
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_setting api.setting;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select *
    into v_setting
    from api.setting as s
    where s.name = p_name;
    if not found then
        perform api.not_found('setting_not_found', 'setting');
    end if;
    return v_setting;
end
$$;

revoke all on function api.setting_get(uuid, integer, ccp.setting_name) from public;
grant execute on function api.setting_get(uuid, integer, ccp.setting_name) to ccp_api;

comment on function api.setting_get(uuid, integer, ccp.setting_name) is
'GET /v1/admin/settings/{name}.';
