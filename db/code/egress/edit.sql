-- An administrator changes an exit: the members of p_changes, which are columns of ccp.egress_ips. Label, provider and
-- status may change at any time; a disabled exit carries its host on and takes no other. What a tunnel is made of
-- changes while no task of its host is under way: one that runs was proven with the old values and is moved to the new ones,
-- one that failed is tried again with them.
create or replace function egress.edit(p_id uuid, p_changes jsonb, p_if_match text default null)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_free constant text[] := array['label', 'provider', 'status'];
    v_tunnel constant text[] := array[
        'ip_address', 'ip_address6', 'tunnel_type', 'wg_endpoint', 'wg_public_key', 'wg_preshared_key_sealed', 'wg_allowed_ips',
        'wg_dns_server', 'wg_peer_address', 'wg_peer_address6', 'wg_mtu', 'wg_own_public_key', 'proxy_config', 'dns_server',
        'secret_sealed'
    ];
    v_before ccp.egress_ips;
    v_after ccp.egress_ips;
    v_changed text[];
    v_host ccp.hosts;
begin
    perform api.require_members(p_changes, v_free || v_tunnel, 'An exit');
    v_before := egress.find(p_id);
    perform account.require_version(p_if_match, v_before.version);
    v_after := jsonb_populate_record(v_before, egress.cleared(v_before, p_changes) || p_changes);
    v_changed := api.changed_columns(to_jsonb(v_before), to_jsonb(v_after));
    if v_changed = '{}' then
        return;
    end if;
    v_host := egress.of_host(p_id);
    if v_changed && v_tunnel and exists (
        select
        from ccp.task_rows as t
        where t.host_id = v_host.id and t.status in ('queued', 'running')
    ) then
        perform access.refuse(
            'CP409', 'egress_ip_in_use',
            format(
                'Exit %s carries host %s, of which a task is under way: change it when that has ended.',
                v_before.label, v_host.short_id
            ),
            jsonb_build_object('host_id', v_host.id, 'changed', v_changed)
        );
    end if;
    begin
        update ccp.egress_ips
        set
            label = v_after.label,
            ip_address = v_after.ip_address,
            ip_address6 = v_after.ip_address6,
            provider = v_after.provider,
            status = v_after.status,
            tunnel_type = v_after.tunnel_type,
            wg_endpoint = v_after.wg_endpoint,
            wg_public_key = v_after.wg_public_key,
            wg_preshared_key_sealed = v_after.wg_preshared_key_sealed,
            wg_allowed_ips = v_after.wg_allowed_ips,
            wg_dns_server = v_after.wg_dns_server,
            wg_peer_address = v_after.wg_peer_address,
            wg_peer_address6 = v_after.wg_peer_address6,
            wg_mtu = v_after.wg_mtu,
            wg_own_public_key = v_after.wg_own_public_key,
            proxy_config = v_after.proxy_config,
            dns_server = v_after.dns_server,
            secret_sealed = v_after.secret_sealed
        where id = p_id;
    exception
        when unique_violation then
            perform access.refuse('CP409', 'label_taken', format('There is already an exit %s.', v_after.label));
    end;
    update ccp.bindings
    set
        exit_label = v_after.label,
        exit_address = v_after.ip_address,
        outdated = outdated or (v_changed && v_tunnel and v_host.status = 'running')
    where egress_ip_id = p_id
        and ended_at is null;
    perform event.write(
        'admin.egress_ip.updated', format('exit %s was changed: %s', v_before.label, array_to_string(v_changed, ', ')),
        null, null, null, jsonb_build_object('egress_ip_id', p_id, 'changed', v_changed)
    );
    if v_changed && v_tunnel and v_host.id is not null then
        update ccp.hosts
        set
            failures = 0,
            retry_at = null
        where id = v_host.id
            and (failures > 0 or retry_at is not null);
        perform host.reconcile(v_host.id);
    end if;
end
$$;

revoke all on function egress.edit(uuid, jsonb, text) from public;
grant execute on function egress.edit(uuid, jsonb, text) to ccp_admin;

comment on function egress.edit(uuid, jsonb, text) is
'An administrator changes an exit: the members of an object that are columns of ccp.egress_ips.';
