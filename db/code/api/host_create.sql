-- POST /v1/admin/hosts: orders a host, binds its exit and enqueues host.create. The exit row is locked, so one exit
-- goes to one host. The ssh password comes hashed; the API puts it into the answer's place, once.
create or replace function api.host_create(
    p_login_id uuid,
    p_generation integer,
    p_user_id uuid,
    p_egress_ip_id uuid,
    p_ssh_password_hash text,
    p_timezone ccp.timezone default 'UTC',
    p_memory_limit_mb ccp.memory_limit_mb default 4096,
    p_cpu_limit ccp.cpu_limit default 2,
    p_pids_limit ccp.pids_limit default 4096,
    p_disk_limit_gb ccp.disk_limit_gb default null,
    p_image ccp.image default null,
    p_sudo boolean default true,
    p_label ccp.label default null,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.new_host
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('host', p_idempotency_key, p_request_sha256);
    v_host_id uuid := (v_ids ->> 'id')::uuid;
    v_short_id text := v_ids ->> 'short_id';
    v_task_id uuid := (v_ids ->> 'task_id')::uuid;
    v_exit ccp.egress_ips;
    v_status text;
begin
    if v_ids is null then
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
        if exists (select from ccp.bindings as b where b.egress_ip_id = p_egress_ip_id and b.ended_at is null) then
            perform access.refuse('CP409', 'egress_ip_bound', format('Exit %s is bound to another host.', v_exit.label));
        end if;
        v_short_id := account.short_id();
        insert into ccp.hosts (
            short_id, label, user_id, node_id, image, timezone, memory_limit_mb, cpu_limit, pids_limit, disk_limit_gb, sudo,
            ssh_password_hash, ssh_password_changed_at
        )
        values (
            v_short_id, p_label, p_user_id, node.pick(), coalesce(p_image, setting.text('default_image')), p_timezone,
            p_memory_limit_mb, p_cpu_limit, p_pids_limit, p_disk_limit_gb, p_sudo, p_ssh_password_hash, clock.now()
        )
        returning id into v_host_id;
        insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
        values (v_host_id, p_egress_ip_id, p_user_id, v_exit.label, v_exit.ip_address);
        perform event.write(
            'info', 'admin.binding.created', format('host %s leaves through exit %s', v_short_id, v_exit.label),
            p_user_id, v_host_id, null, jsonb_build_object('egress_ip_id', p_egress_ip_id)
        );
        v_task_id := (task.enqueue('host.create', v_host_id, '{}', null)).id;
        perform event.write(
            'info', 'admin.host.action', format('host %s was ordered', v_short_id), p_user_id, v_host_id, v_task_id,
            '{"action": "create"}'
        );
        perform account.idempotency_save(
            p_idempotency_key, 202,
            jsonb_build_object('id', v_host_id, 'short_id', v_short_id, 'task_id', v_task_id)
        );
    end if;
    select t.status
    into v_status
    from ccp.task_rows as t
    where t.id = v_task_id;
    return row(
        v_host_id, v_short_id, case when v_ids is null then '' end, v_task_id, v_status, '/v1/admin/tasks/' || v_task_id
    )::api.new_host;
end
$$;

revoke all on function api.host_create(
    uuid, integer, uuid, uuid, text, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb,
    ccp.image, boolean, ccp.label, ccp.request_key, ccp.sha256
) from public;
grant execute on function api.host_create(
    uuid, integer, uuid, uuid, text, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb,
    ccp.image, boolean, ccp.label, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.host_create(
    uuid, integer, uuid, uuid, text, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb,
    ccp.image, boolean, ccp.label, ccp.request_key, ccp.sha256
) is
'POST /v1/admin/hosts: orders a host.';
