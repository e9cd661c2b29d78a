-- A host has another exit from now on, or is proven with what its own has become. The caller holds the exit's row, or a task
-- that reserves it, and the host's.
create or replace function host.rebind(p_host ccp.hosts, p_egress_ip_id uuid)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update ccp.bindings
    set
        ended_at = case when egress_ip_id <> p_egress_ip_id then clock.now() end,
        outdated = false
    where host_id = p_host.id
        and ended_at is null;
    insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
    select p_host.id, e.id, p_host.user_id, e.label, e.ip_address
    from ccp.egress_ips as e
    where e.id = p_egress_ip_id
        and not exists (select from ccp.bindings as b where b.host_id = p_host.id and b.ended_at is null)
$$;

revoke all on function host.rebind(ccp.hosts, uuid) from public;

comment on function host.rebind(ccp.hosts, uuid) is
'A host has another exit from now on, or is proven with what its own has become.';
