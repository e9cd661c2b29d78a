-- Since when nobody has been in a host that has been running since p_running_since; null: somebody is. Whether a session
-- in which nothing moves counts as somebody is the setting idle_means.
create or replace function host.idle_since(p_host_id uuid, p_running_since timestamptz)
returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when o.moved_at is null or setting.text('idle_means') = 'no_traffic' then
            greatest(p_running_since, e.ended_at, o.moved_at)
    end
    from (
        select max(coalesce(s.traffic_at, s.created_at)) as moved_at
        from ccp.sessions as s
        where s.host_id = p_host_id and s.ended_at is null
    ) as o
    cross join (
        select max(s.ended_at) as ended_at
        from ccp.sessions as s
        where s.host_id = p_host_id and s.ended_at is not null
    ) as e
$$;

revoke all on function host.idle_since(uuid, timestamptz) from public;

comment on function host.idle_since(uuid, timestamptz) is
'Since when nobody has been in a host that runs; null: somebody is.';
