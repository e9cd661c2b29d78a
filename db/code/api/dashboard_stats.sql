-- GET /v1/admin/dashboard/stats. Counts what lives: users, exits, and hosts that are not deleted, of which there are
-- thousands at most; of tasks and sessions only those that have not ended, by their indexes.
create or replace function api.dashboard_stats(p_login_id uuid, p_generation integer)
returns api.dashboard
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_stats api.dashboard;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select count(*)
    into v_stats.active_users
    from ccp.users as u
    where account.is_active(u.disabled_at, u.expires_at);
    select
        count(*) filter (where h.status in ('running', 'switching')), count(*) filter (where h.desired = 'running'),
        count(*) filter (where h.status = 'unavailable'), count(*) filter (where h.status = 'failed')
    into v_stats.running_hosts, v_stats.wanted_hosts, v_stats.unavailable_hosts, v_stats.failed_hosts
    from ccp.hosts as h
    where h.status <> 'deleted';
    select
        count(*) filter (where b.id is null and e.status = 'active'), count(b.id),
        count(*) filter (where s.state = 'degraded'), count(*) filter (where s.state = 'down')
    into v_stats.available_ips, v_stats.bound_ips, v_stats.degraded_ips, v_stats.down_ips
    from ccp.egress_ips as e
    left join ccp.exit_states as s on s.egress_ip_id = e.id
    left join ccp.bindings as b on b.egress_ip_id = e.id and b.ended_at is null;
    select count(*)
    into v_stats.open_sessions
    from ccp.sessions as s
    where s.ended_at is null;
    select count(*)
    into v_stats.queued_tasks
    from ccp.task_rows as t
    where t.status = 'queued';
    select count(*)
    into v_stats.running_tasks
    from ccp.task_rows as t
    where t.status = 'running';
    return v_stats;
end
$$;

revoke all on function api.dashboard_stats(uuid, integer) from public;
grant execute on function api.dashboard_stats(uuid, integer) to ccp_api;

comment on function api.dashboard_stats(uuid, integer) is
'GET /v1/admin/dashboard/stats.';
