-- When bytes last moved in sessions of a program that has said for how many seconds none have. Written once a minute at most,
-- for it costs a row; a warning that was given is forgotten with it.
create or replace function session.note_traffic(p_process_id bigint, p_session_ids uuid[], p_silent_s integer[])
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    update ccp.sessions as s
    set
        traffic_at = a.moved_at,
        idle_warned_at = null
    from (
        select
            g.id,
            clock.now() - make_interval(secs => g.silent_s) as moved_at
        from unnest(p_session_ids, p_silent_s) as g (id, silent_s)
    ) as a
    where s.id = a.id
        and s.process_id = p_process_id
        and s.ended_at is null
        and a.moved_at >= coalesce(s.traffic_at, s.created_at) + interval '1 minute'
$$;

revoke all on function session.note_traffic(bigint, uuid[], integer[]) from public;

comment on function session.note_traffic(bigint, uuid[], integer[]) is
'When bytes last moved in sessions of a program.';
