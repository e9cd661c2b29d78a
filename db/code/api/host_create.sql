-- POST /v1/admin/hosts: orders a host. The ssh password comes hashed; the API puts it into the answer's place, once.
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
    p_idle_stop_minutes ccp.idle_minutes default null,
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
    v_again boolean := v_ids is not null;
    v_task ccp.task_rows;
    v_status text;
begin
    if not v_again then
        v_task := host.add(
            p_user_id, p_egress_ip_id, p_ssh_password_hash, p_timezone, p_memory_limit_mb, p_cpu_limit, p_pids_limit,
            p_disk_limit_gb, p_image, p_sudo, p_label, p_idle_stop_minutes
        );
        v_ids := jsonb_build_object(
            'id', v_task.host_id, 'short_id', (select h.short_id from ccp.hosts as h where h.id = v_task.host_id),
            'task_id', v_task.id
        );
        perform account.idempotency_save(p_idempotency_key, 202, v_ids);
    end if;
    select t.status
    into v_status
    from ccp.task_rows as t
    where t.id = (v_ids ->> 'task_id')::uuid;
    return row(
        v_ids ->> 'id', v_ids ->> 'short_id', case when not v_again then '' end, v_ids ->> 'task_id', v_status,
        '/v1/admin/tasks/' || (v_ids ->> 'task_id')
    )::api.new_host;
end
$$;

revoke all on function api.host_create(
    uuid, integer, uuid, uuid, text, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb,
    ccp.image, boolean, ccp.label, ccp.idle_minutes, ccp.request_key, ccp.sha256
) from public;
grant execute on function api.host_create(
    uuid, integer, uuid, uuid, text, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb,
    ccp.image, boolean, ccp.label, ccp.idle_minutes, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.host_create(
    uuid, integer, uuid, uuid, text, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit, ccp.disk_limit_gb,
    ccp.image, boolean, ccp.label, ccp.idle_minutes, ccp.request_key, ccp.sha256
) is
'POST /v1/admin/hosts: orders a host.';
