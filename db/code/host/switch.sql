-- An administrator gives a host another exit. One that runs is moved: the task proves the new exit before the binding changes.
-- One at rest or closed, which has nothing to prove, has it at once, and the task has ended; its next start proves it. So one
-- whose exit has died gets another although it cannot be started with the one that it has.
create or replace function host.switch(p_host_id uuid, p_egress_ip_id uuid)
returns ccp.task_rows
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_params constant jsonb := jsonb_build_object('egress_ip_id', p_egress_ip_id);
    v_kind ccp.task_kinds;
    v_host ccp.hosts;
    v_task ccp.task_rows;
begin
    perform from ccp.egress_ips as e where e.id = p_egress_ip_id for no key update;
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
    if v_host.desired = 'absent' or not (host.is_at_rest(v_host) or v_host.status = 'unavailable') then
        return host.act(p_host_id, 'host.switch', v_params);
    end if;
    perform host.require_switch(v_host, p_egress_ip_id);
    perform host.rebind(v_host, p_egress_ip_id);
    update ccp.hosts
    set
        failures = 0,
        retry_at = null
    where id = p_host_id
        and (failures > 0 or retry_at is not null);
    select k.* into v_kind from ccp.task_kinds as k where k.kind = 'host.switch';
    v_task := task.insert_row(v_kind, v_host, v_params, null, (select a.who from account.actor() as a), true);
    perform host.tell_switch(v_host, v_task);
    perform host.reconcile(p_host_id);
    return v_task;
end
$$;

revoke all on function host.switch(uuid, uuid) from public;
grant execute on function host.switch(uuid, uuid) to ccp_admin;

comment on function host.switch(uuid, uuid) is
'An administrator gives a host another exit, while it runs, is closed or is at rest; returns the task.';
