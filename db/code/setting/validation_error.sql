-- What a setting's value must be and is not, as the end of "it must be ..."; null if it fits.
create or replace function setting.validation_error(p_setting ccp.settings)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type text := jsonb_typeof(p_setting.value);
    v_text text := p_setting.value #>> '{}';
begin
    if p_setting.value is null then
        return case when not p_setting.optional then 'set' end;
    end if;
    if p_setting.type = 'number' then
        if v_type = 'number' and v_text::numeric % 1 = 0 and v_text::numeric between p_setting.min and p_setting.max then
            return null;
        end if;
        return format('a whole number from %s to %s', p_setting.min, p_setting.max);
    end if;
    if p_setting.type = 'text' then
        if v_type = 'string' and v_text ~ p_setting.pattern and length(v_text) between p_setting.min and p_setting.max then
            return null;
        end if;
        return format('a text of %s to %s characters that matches %s', p_setting.min, p_setting.max, p_setting.pattern);
    end if;
    if v_type = 'array'
        and jsonb_array_length(p_setting.value) between p_setting.min and p_setting.max
        and not exists (
            select
            from jsonb_array_elements(p_setting.value) as e (item)
            where jsonb_typeof(e.item) <> 'string'
                or case p_setting.type
                    when 'networks' then not setting.is_network(e.item #>> '{}')
                    else (e.item #>> '{}') !~ p_setting.pattern or length(e.item #>> '{}') > 512
                end
        )
    then
        return null;
    end if;
    return format(
        'a list of %s to %s %s', p_setting.min, p_setting.max,
        case p_setting.type
            when 'networks' then 'addresses or networks, such as 192.0.2.1 or 2001:db8::/32'
            else 'texts of up to 512 characters that match ' || p_setting.pattern
        end
    );
end
$$;

revoke all on function setting.validation_error(ccp.settings) from public;

comment on function setting.validation_error(ccp.settings) is
'What a setting''s value must be and is not; null if it fits.';
