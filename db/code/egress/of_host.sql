-- The host that leaves through an exit, or is being moved to it, locked, so that no start of it comes in between; null: there
-- is none. The caller holds the exit's row, and whoever locks both locks the exit first.
create or replace function egress.of_host(p_egress_ip_id uuid)
returns ccp.hosts
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host ccp.hosts;
begin
    select h.*
    into v_host
    from ccp.hosts as h
    where h.id in (select egress.host_ids(p_egress_ip_id))
    for no key update of h;
    return v_host;
end
$$;

revoke all on function egress.of_host(uuid) from public;

comment on function egress.of_host(uuid) is
'The host that leaves through an exit, or is being moved to it, locked.';
