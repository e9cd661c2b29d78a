-- Refuses one part of a proxy's configuration: what is missing first, then its members by name, and within tls and transport.
create or replace function egress.check_part(p_part text, p_at text, p_value jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text;
    v_member record;
    v_must text;
begin
    select f.name
    into v_name
    from ccp.proxy_fields as f
    where f.part = p_part and f.required and f.type <> 'secret' and not p_value ? f.name
    order by f.name
    limit 1;
    if found then
        perform api.bad_field(format('%s.%s', p_at, v_name), 'is needed');
    end if;
    for v_member in
        select m.key as name, m.value, f.part is not null as is_known, f.type, f.description, f
        from jsonb_each(p_value) as m
        left join ccp.proxy_fields as f on f.part = p_part and f.name = m.key
        order by m.key
    loop
        v_must := case
            when not v_member.is_known then format('is not known: %s takes no such member', p_at)
            when v_member.type = 'secret' then 'is a secret: give it in proxy_secret, which is sealed'
            when v_member.type = 'refused' then format('is not taken: %s', v_member.description)
            else 'must be ' || egress.member_error(v_member.f, v_member.value)
        end;
        if v_must is not null then
            perform api.bad_field(left(format('%s.%s', p_at, v_member.name), 200), v_must);
        end if;
        if v_member.type = 'tls' then
            perform egress.check_part('tls', p_at || '.tls', v_member.value);
        elsif v_member.type = 'transport' then
            perform egress.check_part(
                'transport.' || (v_member.value ->> 'type'), p_at || '.transport', v_member.value - 'type'
            );
        end if;
    end loop;
end
$$;

revoke all on function egress.check_part(text, text, jsonb) from public;

comment on function egress.check_part(text, text, jsonb) is
'Refuses one part of a proxy''s configuration, by member.';
