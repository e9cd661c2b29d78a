-- An administrator orders a host: makes its row, binds its exit and enqueues host.create, which is returned. The exit's row is
-- locked, so one exit goes to one host. The ssh password comes as its yescrypt.
create or replace function host.add(
    p_user_id uuid,
    p_egress_ip_id uuid,
    p_ssh_password_hash ccp.yescrypt,
    p_timezone ccp.timezone default 'UTC',
    p_memory_limit_mb ccp.memory_limit_mb default 4096,
    p_cpu_limit ccp.cpu_limit default 2,
    p_pids_limit ccp.pids_limit default 4096,
    p_disk_limit_gb ccp.disk_limit_gb default null,
    p_image ccp.image default null,
    p_sudo boolean default true,
    p_label ccp.label default null,
    p_idle_stop_minutes ccp.idle_minutes default null
)
returns ccp.task_rows
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit ccp.egress_ips;
    v_short_id text;
    v_host_id uuid;
    v_task ccp.task_rows;
begin
    -- A deletion of that user comes before or after this: it finds the host, or this no user.
    perform from ccp.users as u where u.id = p_user_id and u.deleting_at is null for share;
    if not found then
        perform api.bad_field('user_id', 'names no user');
    end if;
    if not exists (select from pg_timezone_names as z where z.name = p_timezone) then
        perform api.bad_field('timezone', 'names no time zone');
    end if;
    select *
    into v_exit
    from ccp.egress_ips as e
    where e.id = p_egress_ip_id
    for no key update;
    if not found then
        perform api.bad_field('egress_ip_id', 'names no exit');
    end if;
    if v_exit.status <> 'active' then
        perform access.refuse('CP409', 'egress_ip_disabled', format('Exit %s is disabled.', v_exit.label));
    end if;
    if exists (select from egress.host_ids(p_egress_ip_id)) then
        perform access.refuse('CP409', 'egress_ip_bound', format('Exit %s is bound to another host.', v_exit.label));
    end if;
    v_short_id := account.short_id();
    insert into ccp.hosts (
        short_id, label, user_id, node_id, image, timezone, memory_limit_mb, cpu_limit, pids_limit, disk_limit_gb, sudo,
        idle_stop_minutes, ssh_password_hash, ssh_password_changed_at
    )
    values (
        v_short_id, p_label, p_user_id, node.pick(), coalesce(p_image, setting.text('default_image')), p_timezone,
        p_memory_limit_mb, p_cpu_limit, p_pids_limit, p_disk_limit_gb, p_sudo, p_idle_stop_minutes,
        p_ssh_password_hash, clock.now()
    )
    returning id into v_host_id;
    insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
    values (v_host_id, p_egress_ip_id, p_user_id, v_exit.label, v_exit.ip_address);
    perform event.write(
        'admin.binding.created', format('host %s leaves through exit %s', v_short_id, v_exit.label),
        p_user_id, v_host_id, null, jsonb_build_object('egress_ip_id', p_egress_ip_id)
    );
    v_task := task.enqueue('host.create', v_host_id, '{}', null);
    perform event.write(
        'admin.host.action', format('host %s was ordered', v_short_id), p_user_id, v_host_id, v_task.id,
        '{"action": "create"}'
    );
    return v_task;
end
$$;

revoke all on function host.add(
    uuid, uuid, ccp.yescrypt, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb, ccp.image,
    boolean, ccp.label, ccp.idle_minutes
) from public;
grant execute on function host.add(
    uuid, uuid, ccp.yescrypt, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb, ccp.image,
    boolean, ccp.label, ccp.idle_minutes
) to ccp_admin;

comment on function host.add(
    uuid, uuid, ccp.yescrypt, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb, ccp.image,
    boolean, ccp.label, ccp.idle_minutes
) is
'An administrator orders a host; returns the task that makes it.';
