-- The sessions of a program whose host is stopped within 5 minutes as nothing moves in it, and that have not been told, with
-- what they are told. Each is returned once, until something has moved in it.
create or replace function session.warn_idle(p_process_id bigint, p_session_ids uuid[])
returns table (session_id uuid, sentence text)
language sql
set search_path = pg_catalog, pg_temp
as $$
    update ccp.sessions as s
    set idle_warned_at = clock.now()
    from ccp.hosts as h
    join ccp.users as u on u.id = h.user_id
    cross join lateral (
        select
            clock.now() - make_interval(mins => host.idle_minutes(
                h.idle_stop_minutes, u.idle_stop_minutes, (select setting.number('idle_stop_minutes')::integer)
            ) - 5) as long_ago
    ) as m
    where s.id = any (p_session_ids)
        and s.process_id = p_process_id
        and s.ended_at is null
        and s.end_requested_at is null
        and s.idle_warned_at is null
        and coalesce(s.traffic_at, s.created_at) <= m.long_ago
        and h.id = s.host_id
        and h.status = 'running'
        and h.desired = 'running'
        and host.idle_since(h.id, h.status_changed_at) <= m.long_ago
    returning s.id, 'Nothing has happened here for a while: this host is stopped in 5 minutes, unless something does.'
$$;

revoke all on function session.warn_idle(bigint, uuid[]) from public;

comment on function session.warn_idle(bigint, uuid[]) is
'The sessions that are to be told that their host is stopped soon, and what.';
