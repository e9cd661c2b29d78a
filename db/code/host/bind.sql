-- An administrator gives a host an exit; returns the binding's id. The exit's row is locked, then the host's: one exit
-- goes to one host. Earlier failures are forgotten, and what the host waits for is begun at once.
create or replace function host.bind(p_host_id uuid, p_egress_ip_id uuid)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit ccp.egress_ips;
    v_host ccp.hosts;
    v_id uuid;
begin
    select e.*
    into v_exit
    from ccp.egress_ips as e
    where e.id = p_egress_ip_id
    for no key update;
    if not found then
        perform api.bad_field('egress_ip_id', 'names no exit');
    end if;
    select h.*
    into v_host
    from ccp.hosts as h
    where h.id = p_host_id
        and h.deleted_at is null
    for no key update;
    if not found then
        perform api.bad_field('host_id', 'names no host');
    end if;
    if v_host.desired = 'absent' then
        perform access.refuse('CP409', 'host_being_deleted', format('Host %s is being deleted.', v_host.short_id));
    end if;
    if v_exit.status <> 'active' then
        perform access.refuse('CP409', 'egress_ip_disabled', format('Exit %s is disabled.', v_exit.label));
    end if;
    if exists (select from ccp.bindings as b where b.host_id = p_host_id and b.ended_at is null) then
        perform access.refuse('CP409', 'host_bound', format('Host %s has an exit: unbind it first.', v_host.short_id));
    end if;
    if exists (select from egress.host_ids(p_egress_ip_id)) then
        perform access.refuse('CP409', 'egress_ip_bound', format('Exit %s is bound to another host.', v_exit.label));
    end if;
    insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
    values (p_host_id, p_egress_ip_id, v_host.user_id, v_exit.label, v_exit.ip_address)
    returning id into v_id;
    perform event.write(
        'admin.binding.created', format('host %s leaves through exit %s', v_host.short_id, v_exit.label),
        v_host.user_id, p_host_id, null, jsonb_build_object('egress_ip_id', p_egress_ip_id)
    );
    update ccp.hosts
    set
        failures = 0,
        retry_at = null
    where id = p_host_id
        and (failures > 0 or retry_at is not null);
    perform host.reconcile(p_host_id);
    return v_id;
end
$$;

revoke all on function host.bind(uuid, uuid) from public;
grant execute on function host.bind(uuid, uuid) to ccp_admin;

comment on function host.bind(uuid, uuid) is
'An administrator gives a host an exit; returns the binding''s id.';
