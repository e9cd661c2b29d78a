-- GET /v1/admin/hosts/{id}/logs: what happened to a host, by its last p_tail events, oldest first. To follow is to get what has
-- been written since, piece by piece: the cursor between pieces is the snapshot that the last one was read with, so each event
-- comes once, in whatever order they commit. It is never handed out. An event is written in the transaction that it tells of,
-- none of which lasts for an hour. When the host has been deleted the stream ends.
create or replace function api.host_log(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_tail api.page_size default 100,
    p_follow boolean default false,
    p_format api.export_format default 'ndjson',
    p_cursor text default null
)
returns api.event_chunk
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since constant pg_snapshot := p_cursor::pg_snapshot;
    v_snapshot text;
    v_goes_on boolean;
    v_events api.event[];
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    if p_cursor is null and not exists (select from ccp.hosts as h where h.id = p_id and h.deleted_at is null) then
        perform api.not_found('host_not_found', 'host');
    end if;
    select
        pg_current_snapshot()::text,
        exists (select from ccp.hosts as h where h.id = p_id and h.deleted_at is null),
        array(
            select row(
                l.id::text, l.at, l.level, l.type, l.message, l.actor, l.actor_role, l.actor_address,
                l.user_id, l.host_id, l.task_id, l.metadata
            )::api.event
            from (
                select e.*
                from ccp.events as e
                where e.host_id = p_id
                    and (
                        v_since is null
                        or (e.at >= clock.now() - interval '1 hour' and not pg_visible_in_snapshot(e.xid, v_since))
                    )
                order by e.at desc, e.id desc
                limit case when v_since is null then p_tail end
            ) as l
            order by l.at, l.id
        )
    into v_snapshot, v_goes_on, v_events;
    return row(
        event.lines(v_events, 'time', p_format, p_cursor is null), case when p_follow and v_goes_on then v_snapshot end
    )::api.event_chunk;
end
$$;

revoke all on function api.host_log(uuid, integer, uuid, api.page_size, boolean, api.export_format, text) from public;
grant execute on function api.host_log(uuid, integer, uuid, api.page_size, boolean, api.export_format, text) to ccp_api;

comment on function api.host_log(uuid, integer, uuid, api.page_size, boolean, api.export_format, text) is
'GET /v1/admin/hosts/{id}/logs: what happened to a host.';
