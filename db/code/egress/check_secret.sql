-- Refuses a secret that does not go with its exit, by the names of its members, before they are sealed: p_members those of a
-- proxy's secret, p_own_key whether a private key of WireGuard is given. What the members hold only agents see; p_keys has the
-- bytes of each key in base64 that the password is made of, null if it is another text.
create or replace function egress.check_secret(
    p_tunnel_type text, p_config jsonb, p_members text[], p_keys integer[], p_own_key boolean
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type constant text := p_config ->> 'type';
    v_known constant text[] := array(
        select f.name::text from ccp.proxy_fields as f where f.part = v_type and f.type = 'secret' order by f.name
    );
    v_name text;
    v_key record;
begin
    if p_own_key and p_tunnel_type <> 'wireguard' then
        perform api.bad_field('wg_private_key', format('does not belong to an exit whose tunnel_type is %s', p_tunnel_type));
    end if;
    if p_members is null then
        return;
    end if;
    if p_tunnel_type <> 'proxy' then
        perform api.bad_field('proxy_secret', format('does not belong to an exit whose tunnel_type is %s', p_tunnel_type));
    end if;
    if v_known = '{}' then
        return; -- no type of proxy, which egress.check_proxy says
    end if;
    select m.name
    into v_name
    from unnest(p_members) as m (name)
    where m.name <> all (v_known)
    order by m.name
    limit 1;
    if found then
        perform api.bad_field(
            left('proxy_secret.' || v_name, 200),
            format('is not known: the secret of a %s proxy has %s', v_type, array_to_string(v_known, ', '))
        );
    end if;
    select f.name
    into v_name
    from ccp.proxy_fields as f
    where f.part = v_type
        and f.type = 'secret'
        and (f.required or (f.name = 'obfs_password' and p_config ? 'obfs'))
        and f.name <> all (p_members)
    order by f.name
    limit 1;
    if found then
        perform api.bad_field(
            'proxy_secret.' || v_name, format('is needed: the secret of a %s proxy is given as a whole', v_type)
        );
    end if;
    select f.name, f.description
    into v_key
    from ccp.proxy_fields as f
    where f.part = 'method.' || (p_config ->> 'method')
        and (p_keys is null or f.min <> any (p_keys) or cardinality(p_keys) > f.max);
    if found then
        perform api.bad_field('proxy_secret.' || v_key.name, format('must be %s', v_key.description));
    end if;
end
$$;

revoke all on function egress.check_secret(text, jsonb, text[], integer[], boolean) from public;

comment on function egress.check_secret(text, jsonb, text[], integer[], boolean) is
'Refuses a secret that does not go with its exit, by the names of its members.';
