-- GET /v1/admin/events: events by id, newest first. Pages back in time; the live stream reads by snapshot instead.
create or replace function api.event_list(
    p_login_id uuid,
    p_generation integer,
    p_type text default null,
    p_user_id uuid default null,
    p_host_id uuid default null,
    p_task_id uuid default null,
    p_level text default null,
    p_since timestamptz default '-infinity',
    p_until timestamptz default 'infinity',
    p_limit integer default 50,
    p_cursor text default null
)
returns api.event_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read(p_cursor);
    v_page api.event_page;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_page.events := array(
        select row(
            e.id::text, e.at, e.level, e.type, e.message, e.actor, e.actor_role, e.actor_address,
            e.user_id, e.host_id, e.task_id, e.metadata
        )::api.event
        from ccp.events as e
        where e.id < v_after.number
            and (p_type is null or e.type = p_type)
            and (p_user_id is null or e.user_id = p_user_id)
            and (p_host_id is null or e.host_id = p_host_id)
            and (p_task_id is null or e.task_id = p_task_id)
            and (p_level is null or e.level = p_level)
            and e.at >= p_since
            and e.at < p_until
        order by e.id desc
        limit p_limit + 1
    );
    if cardinality(v_page.events) > p_limit then
        v_page.events := v_page.events[:p_limit];
        v_page.next_cursor := api.cursor(v_page.events[p_limit].time, v_page.events[p_limit].id);
    end if;
    return v_page;
end
$$;

revoke all on function api.event_list(uuid, integer, text, uuid, uuid, uuid, text, timestamptz, timestamptz, integer, text) from public;
grant execute on function api.event_list(uuid, integer, text, uuid, uuid, uuid, text, timestamptz, timestamptz, integer, text) to ccp_api;

comment on function api.event_list(uuid, integer, text, uuid, uuid, uuid, text, timestamptz, timestamptz, integer, text) is
'GET /v1/admin/events: events, newest first.';
