-- An administrator deletes an exit that no host is bound to. What is told of it in ended bindings and in the audit log
-- stays.
create or replace function egress.remove(p_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit ccp.egress_ips;
    v_host ccp.hosts;
begin
    v_exit := egress.find(p_id);
    v_host := egress.of_host(p_id);
    if v_host.id is not null then
        perform access.refuse(
            'CP409', 'egress_ip_bound', format('Exit %s is bound to host %s: unbind it first.', v_exit.label, v_host.short_id),
            jsonb_build_object('host_id', v_host.id)
        );
    end if;
    delete from ccp.egress_ips where id = p_id;
    perform event.write(
        'admin.egress_ip.deleted', format('exit %s was deleted', v_exit.label), null, null, null,
        jsonb_build_object('egress_ip_id', p_id, 'ip_address', host(v_exit.ip_address))
    );
end
$$;

revoke all on function egress.remove(uuid) from public;
grant execute on function egress.remove(uuid) to ccp_admin;

comment on function egress.remove(uuid) is
'An administrator deletes an exit that no host is bound to.';
