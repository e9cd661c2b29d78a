-- Refuses the configuration of a proxy that holds what ccp.proxy_fields does not allow, names the first member that is wrong and
-- says what it must be. p_sealed: whether there is a sealed secret, into which no one but agents can look.
create or replace function egress.check_proxy(p_config jsonb, p_sealed boolean)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type constant text := p_config ->> 'type';
    v_why text;
begin
    if not exists (select from ccp.proxy_fields as f where f.part = v_type and f.name = 'server') then
        select f.description into v_why from ccp.proxy_fields as f where f.part = 'type' and f.name = v_type;
        perform api.bad_field(
            'proxy_config.type',
            coalesce(
                'is not taken: ' || v_why,
                format(
                    'must be one of %s',
                    (select string_agg(f.part, ', ' order by f.part) from ccp.proxy_fields as f where f.name = 'server')
                )
            )
        );
    end if;
    perform egress.check_part(v_type, 'proxy_config', p_config - 'type');
    if p_config -> 'tls' ?& array['certificate', 'certificate_public_key_sha256'] then
        perform api.bad_field(
            'proxy_config.tls',
            'pins the key or names who signs it, not both: leave certificate or certificate_public_key_sha256 out'
        );
    end if;
    if exists (
        select
        from jsonb_array_elements_text(p_config -> 'server_ports') as r (ports)
        where not split_part(r.ports, ':', 1)::integer between 1 and split_part(r.ports, ':', 2)::integer
            or split_part(r.ports, ':', 2)::integer > 65535
    ) then
        perform api.bad_field(
            'proxy_config.server_ports', 'must be ranges of ports such as 20000:30000, from 1 to 65535 and the lower one first'
        );
    end if;
    if p_config ->> 'flow' <> '' and (not p_config ? 'tls' or p_config ? 'transport') then
        perform api.bad_field('proxy_config.flow', 'needs tls and no transport');
    end if;
    if not p_sealed then
        select string_agg(f.name, ', ' order by f.name)
        into v_why
        from ccp.proxy_fields as f
        where f.part = v_type and f.type = 'secret'
            and (f.required or (f.name = 'obfs_password' and p_config ? 'obfs'));
        if v_why is not null then
            perform api.bad_field('proxy_secret', format('is needed: %s of a %s proxy', v_why, v_type));
        end if;
    end if;
end
$$;

revoke all on function egress.check_proxy(jsonb, boolean) from public;

comment on function egress.check_proxy(jsonb, boolean) is
'Refuses the configuration of a proxy that holds what is not allowed.';
