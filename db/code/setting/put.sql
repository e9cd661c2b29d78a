-- Sets a setting that exists; an unknown name is refused, so that a typing error is not a silent new setting. p_if_match as in
-- account.require_version(). The same value again is no change and leaves no event.
create or replace function setting.put(p_name text, p_value jsonb, p_if_match text default null)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_setting ccp.settings;
begin
    select s.*
    into v_setting
    from ccp.settings as s
    where s.name = p_name
    for no key update;
    if not found then
        perform access.refuse(
            'CP404', 'setting_not_found', format('there is no setting %s', quote_literal(p_name)),
            jsonb_build_object('name', p_name), 'see ccp.settings'
        );
    end if;
    perform account.require_version(p_if_match, v_setting.version);
    if v_setting.value is distinct from p_value then
        update ccp.settings
        set value = p_value
        where name = p_name;
        perform event.write(
            'setting.changed', format('the setting %s was changed', p_name), null, null, null,
            jsonb_build_object('name', p_name, 'from', v_setting.value, 'to', p_value)
        );
    end if;
end
$$;

revoke all on function setting.put(text, jsonb, text) from public;
grant execute on function setting.put(text, jsonb, text) to ccp_admin;

comment on function setting.put(text, jsonb, text) is
'Sets a setting that exists.';
