-- Refuses to move a host to an exit that is not there, takes no host or carries another; says in the audit log that it is asked
-- for, which rings for the provider: the host's key must be known at the exit before it can answer. The caller holds the
-- exit's row, then the host's.
create or replace function host.require_switch(p_host ccp.hosts, p_egress_ip_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit ccp.egress_ips;
    v_before ccp.bindings;
begin
    select e.* into v_exit from ccp.egress_ips as e where e.id = p_egress_ip_id;
    if not found then
        perform access.refuse(
            'CP422', 'invalid', 'host.switch needs the id of an exit', '{"field": "params.egress_ip_id"}',
            'ccp.egress_ips lists the exits'
        );
    end if;
    select b.* into v_before from ccp.bindings as b where b.host_id = p_host.id and b.ended_at is null;
    if v_before.egress_ip_id is distinct from p_egress_ip_id then
        if v_exit.status <> 'active' then
            perform access.refuse('CP409', 'egress_ip_disabled', format('Exit %s is disabled.', v_exit.label));
        end if;
        if exists (select from egress.host_ids(p_egress_ip_id)) then
            perform access.refuse('CP409', 'egress_ip_bound', format('Exit %s is bound to another host.', v_exit.label));
        end if;
    end if;
    perform event.write(
        'host.switch.asked',
        case
            when v_before.egress_ip_id = p_egress_ip_id then
                format('host %s is moved to what exit %s is now', p_host.short_id, v_exit.label)
            else format('host %s is moved from exit %s to exit %s', p_host.short_id, v_before.exit_label, v_exit.label)
        end,
        p_host.user_id, p_host.id, null, jsonb_build_object('egress_ip_id', p_egress_ip_id)
    );
end
$$;

revoke all on function host.require_switch(ccp.hosts, uuid) from public;

comment on function host.require_switch(ccp.hosts, uuid) is
'Refuses to move a host to an exit that it cannot have, and says that it is asked for.';
