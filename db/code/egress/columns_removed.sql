-- The columns of an exit that a request removes, by the members that it has as null. A secret that the exit's type of tunnel
-- does not have cannot be removed: its column is another's.
create or replace function egress.columns_removed(p_nulls text[], p_tunnel_type text)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(c.name), '{}')
    from unnest(p_nulls) as n (name)
    cross join lateral unnest(
        case
            when n.name = 'wg_preshared_key' then array['wg_preshared_key_sealed']
            when n.name = 'wg_private_key' and p_tunnel_type = 'wireguard' then array['wg_own_public_key', 'secret_sealed']
            when n.name = 'proxy_secret' and p_tunnel_type = 'proxy' then array['secret_sealed']
            when n.name not in ('wg_private_key', 'proxy_secret') then array[n.name]
        end
    ) as c (name)
$$;

revoke all on function egress.columns_removed(text[], text) from public;

comment on function egress.columns_removed(text[], text) is
'The columns of an exit that a request removes, by the members that it has as null.';
