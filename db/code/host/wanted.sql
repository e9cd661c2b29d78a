-- What is wanted of a host now; the view ccp.host_wants says it of all.
create or replace function host.wanted(p_host ccp.hosts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select host.wanted_of(
        p_host.desired, account.state(u.disabled_at, u.expires_at),
        host.gives_way(o.disk_excess, n.disk_short_since, n.drained_at)
    )
    from ccp.users as u
    join ccp.nodes as n on n.id = p_host.node_id
    left join ccp.observations as o on o.host_id = p_host.id
    where u.id = p_host.user_id
$$;

revoke all on function host.wanted(ccp.hosts) from public;

comment on function host.wanted(ccp.hosts) is
'What is wanted of a host now: running, stopped or absent.';
