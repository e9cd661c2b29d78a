-- Writes that a host has been moved by a task.
create or replace function host.tell_switch(p_host ccp.hosts, p_task ccp.task_rows)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    select event.write(
        'host.switched', format('host %s leaves through exit %s', p_host.short_id, b.exit_label),
        p_host.user_id, p_host.id, p_task.id, jsonb_build_object('egress_ip_id', b.egress_ip_id)
    )
    from ccp.bindings as b
    where b.host_id = p_host.id
        and b.ended_at is null
$$;

revoke all on function host.tell_switch(ccp.hosts, ccp.task_rows) from public;

comment on function host.tell_switch(ccp.hosts, ccp.task_rows) is
'Writes that a host has been moved by a task.';
