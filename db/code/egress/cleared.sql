-- The columns that go when an exit gets another type of tunnel, as nulls: they are of the old one. So is the secret of
-- another type of proxy.
create or replace function egress.cleared(p_exit ccp.egress_ips, p_changes jsonb)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_object_agg(c.key, null), '{}')
    from jsonb_object_keys(to_jsonb(p_exit)) as c (key)
    where (
        p_changes ->> 'tunnel_type' <> p_exit.tunnel_type
        and (starts_with(c.key, 'wg_') or c.key in ('proxy_config', 'dns_server', 'secret_sealed'))
    )
    or (
        p_changes #>> '{proxy_config,type}' <> p_exit.proxy_config ->> 'type'
        and c.key = 'secret_sealed'
    )
$$;

revoke all on function egress.cleared(ccp.egress_ips, jsonb) from public;

comment on function egress.cleared(ccp.egress_ips, jsonb) is
'The columns that go when an exit gets another type of tunnel or proxy, as nulls.';
