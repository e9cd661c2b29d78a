-- PATCH /v1/admin/hosts/{id}: what is absent stays. The answer says when the change takes effect.
create or replace function api.host_update(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_label ccp.label default null,
    p_image ccp.image default null,
    p_timezone ccp.timezone default null,
    p_memory_limit_mb ccp.memory_limit_mb default null,
    p_cpu_limit ccp.cpu_limit default null,
    p_pids_limit ccp.pids_limit default null,
    p_disk_limit_gb ccp.disk_limit_gb default null,
    p_sudo boolean default null,
    p_idle_stop_minutes ccp.idle_minutes default null,
    p_nulls text[] default '{}',
    p_if_match text default null
)
returns api.edited_host
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_answer api.edited_host;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_answer.applies := host.edit(
        p_id,
        api.changes(
            jsonb_build_object(
                'label', p_label,
                'image', p_image,
                'timezone', p_timezone,
                'memory_limit_mb', p_memory_limit_mb,
                'cpu_limit', p_cpu_limit,
                'pids_limit', p_pids_limit,
                'disk_limit_gb', p_disk_limit_gb,
                'sudo', p_sudo,
                'idle_stop_minutes', p_idle_stop_minutes
            ), p_nulls
        ),
        p_if_match
    );
    v_answer.host := api.host_get(p_login_id, p_generation, p_id);
    v_answer.version := (v_answer.host).version;
    return v_answer;
end
$$;

revoke all on function api.host_update(
    uuid, integer, uuid, ccp.label, ccp.image, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit,
    ccp.disk_limit_gb, boolean, ccp.idle_minutes, text[], text
) from public;
grant execute on function api.host_update(
    uuid, integer, uuid, ccp.label, ccp.image, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit,
    ccp.disk_limit_gb, boolean, ccp.idle_minutes, text[], text
) to ccp_api;

comment on function api.host_update(
    uuid, integer, uuid, ccp.label, ccp.image, ccp.timezone, ccp.memory_limit_mb, ccp.cpu_limit, ccp.pids_limit,
    ccp.disk_limit_gb, boolean, ccp.idle_minutes, text[], text
) is
'PATCH /v1/admin/hosts/{id}.';
