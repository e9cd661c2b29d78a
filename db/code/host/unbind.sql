-- An administrator takes a host's exit away. Refused unless the host is at rest: a host that runs was proven with this
-- exit.
create or replace function host.unbind(p_binding_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit_id uuid;
    v_host ccp.hosts;
    v_label text;
begin
    select b.egress_ip_id
    into v_exit_id
    from ccp.bindings as b
    where b.id = p_binding_id
        and b.ended_at is null;
    if found then
        perform egress.find(v_exit_id);
        v_host := egress.of_host(v_exit_id);
        update ccp.bindings
        set ended_at = clock.now()
        where id = p_binding_id
            and ended_at is null
        returning exit_label into v_label;
    end if;
    if v_label is null then
        perform api.not_found('binding_not_found', 'binding');
    end if;
    if not host.is_at_rest(v_host) then
        perform access.refuse(
            'CP409', 'host_running', format('Host %s is %s: stop it first.', v_host.short_id, v_host.status),
            jsonb_build_object('host_id', v_host.id)
        );
    end if;
    perform event.write(
        'admin.binding.deleted', format('host %s leaves through exit %s no more', v_host.short_id, v_label),
        v_host.user_id, v_host.id, null, jsonb_build_object('egress_ip_id', v_exit_id)
    );
end
$$;

revoke all on function host.unbind(uuid) from public;
grant execute on function host.unbind(uuid) to ccp_admin;

comment on function host.unbind(uuid) is
'An administrator takes a host''s exit away.';
