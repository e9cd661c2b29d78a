-- What a member of a proxy's configuration must be and is not, as the end of "it must be ..."; null if it fits.
create or replace function egress.member_error(p_field ccp.proxy_fields, p_value jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type constant text := jsonb_typeof(p_value);
    v_text constant text := p_value #>> '{}';
    v_pattern constant text := '^(' || coalesce(p_field.pattern, '[^[:cntrl:]]*') || ')$';
begin
    return case p_field.type
        when 'text' then
            case
                when v_type <> 'string' or length(v_text) not between p_field.min and p_field.max then
                    format('a text of %s to %s characters: %s', p_field.min, p_field.max, p_field.description)
                when v_text !~ v_pattern then
                    case
                        when p_field.pattern is null then 'a text without control characters'
                        else format('a text that matches %s: %s', p_field.pattern, p_field.description)
                    end
            end
        when 'number' then
            case
                when v_type = 'number'
                    and v_text::numeric % 1 = 0
                    and v_text::numeric between p_field.min and p_field.max
                then null
                else format('a whole number from %s to %s: %s', p_field.min, p_field.max, p_field.description)
            end
        when 'flag' then
            case when v_type <> 'boolean' then format('true or false: %s', p_field.description) end
        when 'texts' then
            case
                when v_type = 'array'
                    and jsonb_array_length(p_value) between p_field.min and p_field.max
                    and not exists (
                        select
                        from jsonb_array_elements(p_value) as e (item)
                        where jsonb_typeof(e.item) <> 'string' or (e.item #>> '{}') !~ v_pattern
                    )
                then null
                else format(
                    'a list of %s to %s texts that match %s: %s', p_field.min, p_field.max, p_field.pattern, p_field.description
                )
            end
        when 'address' then
            case when v_type = 'string' then egress.server_error(v_text) else 'a text: an address' end
        when 'tls' then
            case when v_type <> 'object' then 'an object: TLS around it' end
        else
            case
                when v_type = 'object'
                    and p_value ->> 'type' = any (array['ws', 'http', 'grpc', 'httpupgrade'])
                then null
                else 'an object whose type is ws, http, grpc or httpupgrade'
            end
    end;
end
$$;

revoke all on function egress.member_error(ccp.proxy_fields, jsonb) from public;

comment on function egress.member_error(ccp.proxy_fields, jsonb) is
'What a member of a proxy''s configuration must be and is not; null if it fits.';
