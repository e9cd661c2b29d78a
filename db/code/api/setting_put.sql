-- PUT /v1/admin/settings/{name}: a change works at the next use, in every program. A value that does not fit is refused with
-- what it must be.
create or replace function api.setting_put(
    p_login_id uuid,
    p_generation integer,
    p_name ccp.setting_name,
    p_value api.json,
    p_if_match text default null
)
returns api.setting
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_setting ccp.settings;
    v_must text;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select s.*
    into v_setting
    from ccp.settings as s
    where s.name = p_name;
    if found then
        v_setting.value := p_value;
        v_must := setting.validation_error(v_setting);
    end if;
    if v_must is not null then
        perform api.bad_field('value', 'must be ' || v_must);
    end if;
    perform setting.put(p_name, p_value, p_if_match);
    return api.setting_get(p_login_id, p_generation, p_name);
end
$$;

revoke all on function api.setting_put(uuid, integer, ccp.setting_name, api.json, text) from public;
grant execute on function api.setting_put(uuid, integer, ccp.setting_name, api.json, text) to ccp_api;

comment on function api.setting_put(uuid, integer, ccp.setting_name, api.json, text) is
'PUT /v1/admin/settings/{name}.';
