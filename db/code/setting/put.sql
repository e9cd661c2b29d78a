-- Sets a setting that exists; an unknown name is refused, so that a typing error is not a silent new setting.
create or replace function setting.put(p_name text, p_value jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update ccp.settings
    set
        value = p_value,
        updated_at = clock.now()
    where name = p_name
        and value is distinct from p_value;
    if not found and not exists (select from ccp.settings as s where s.name = p_name) then
        perform access.refuse(
            'CP404', 'setting_not_found', format('there is no setting %s', quote_literal(p_name)),
            jsonb_build_object('name', p_name), 'see ccp.settings'
        );
    end if;
end
$$;

revoke all on function setting.put(text, jsonb) from public;
grant execute on function setting.put(text, jsonb) to ccp_admin;

comment on function setting.put(text, jsonb) is
'Sets a setting that exists.';
