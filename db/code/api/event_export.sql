-- GET /v1/admin/events/export: one piece of it, oldest first unless asked otherwise. The API asks for the next when
-- the client has taken this one, so no transaction lasts and each piece asks again whether the login may. Each line
-- has the cursor from which an export goes on behind it. An event with an earlier time may commit later: oldest first, a
-- line from which the log is not whole yet has the place where that begins, so who goes on there misses nothing and may
-- get lines again, which have the same id.
create or replace function api.event_export(
    p_login_id uuid,
    p_generation integer,
    p_type ccp.event_type[] default null,
    p_user_id uuid default null,
    p_host_id uuid default null,
    p_task_id uuid default null,
    p_level ccp.event_level[] default null,
    p_actor api.filter default null,
    p_q api.filter default null,
    p_since timestamptz default '-infinity',
    p_until timestamptz default 'infinity',
    p_sort api.by_time default 'time',
    p_format api.export_format default 'ndjson',
    p_cursor api.cursor default null
)
returns api.event_chunk
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit constant integer := 200;
    v_settled timestamptz := timestamptz 'infinity';
    v_events api.event[];
    v_chunk api.event_chunk;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    if p_sort = 'time' then -- before the events are read
        v_settled := event.settled_until();
    end if;
    v_events := event.find(
        p_sort, p_cursor, v_limit, p_type, p_user_id, p_host_id, p_task_id, p_level, p_actor, p_q, p_since, p_until
    );
    if cardinality(v_events) = v_limit then
        v_chunk.next_cursor := api.cursor('events', p_sort, v_events[v_limit].time, v_events[v_limit].id);
    end if;
    v_chunk.text := event.lines(v_events, p_sort, p_format, p_cursor is null, v_settled);
    return v_chunk;
end
$$;

revoke all on function api.event_export(
    uuid, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, api.filter, timestamptz, timestamptz,
    api.by_time, api.export_format, api.cursor
) from public;
grant execute on function api.event_export(
    uuid, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, api.filter, timestamptz, timestamptz,
    api.by_time, api.export_format, api.cursor
) to ccp_api;

comment on function api.event_export(
    uuid, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, api.filter, timestamptz, timestamptz,
    api.by_time, api.export_format, api.cursor
) is
'GET /v1/admin/events/export: one piece of it.';
