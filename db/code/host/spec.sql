-- Everything an agent must know to make a host what it should be; null for a host that does not exist.
create or replace function host.spec(p_host_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'host_id', h.id,
        'short_id', h.short_id,
        'user_id', h.user_id,
        'username', u.username,
        'status', h.status,
        'desired', h.desired,
        'wanted', host.wanted(h),
        'ids', case when setting.text('user_namespaces') = 'required' then host.ids(h.slot) end,
        'refusal', host.refusal(h),
        'image', h.image,
        'image_id', h.image_id,
        'timezone', h.timezone,
        'memory_limit_mb', h.memory_limit_mb,
        'cpu_limit', h.cpu_limit,
        'pids_limit', h.pids_limit,
        'disk_limit_gb', h.disk_limit_gb,
        'host_disk_gb', setting.get('host_disk_gb'),
        'sudo', h.sudo,
        'tunnel', jsonb_build_object(
            'uid', host.ids(h.slot) -> 'engine',
            'cpu_limit', greatest(0.1, round(h.cpu_limit * setting.number('tunnel_cpu_percent') / 100, 3)),
            'memory_limit_mb', setting.get('tunnel_memory_mb')
        ),
        'exit', (
            select egress.describe(e)
            from ccp.bindings as b
            join ccp.egress_ips as e on e.id = b.egress_ip_id
            where b.host_id = h.id and b.ended_at is null
        ),
        'switch_to', (
            select egress.describe(e)
            from ccp.task_rows as t
            join ccp.egress_ips as e on e.id = (t.params ->> 'egress_ip_id')::uuid
            where t.host_id = h.id and t.kind = 'host.switch' and t.status in ('queued', 'running')
        ),
        'switch_fallback', setting.get('switch_fallback'),
        'verify', verification.settings()
    )
    from ccp.hosts as h
    join ccp.users as u on u.id = h.user_id
    where h.id = p_host_id
$$;

revoke all on function host.spec(uuid) from public;
grant execute on function host.spec(uuid) to ccp_agent;

comment on function host.spec(uuid) is
'Everything an agent must know of one host, as JSON.';
