-- GET /v1/user/hosts/{id}/events: what happened with one of my hosts, newest first unless asked otherwise. Where an
-- administrator acted from is not told.
create or replace function api.own_host_event_list(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_type ccp.event_type[] default null,
    p_level ccp.event_level[] default null,
    p_since timestamptz default '-infinity',
    p_until timestamptz default 'infinity',
    p_sort api.by_time default '-time',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.event_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('events', p_sort, p_cursor, p_since, p_until);
    v_events api.event[];
begin
    perform api.own_host_enter(p_login_id, p_generation, p_id);
    execute format(
        $query$
        select array(
            select row(
                e.id::text, e.at, e.level, e.type, e.message, e.actor, e.actor_role,
                case when e.actor_role <> 'admin' then e.actor_address end,
                e.user_id, e.host_id, e.task_id, e.metadata
            )::api.event
            from ccp.events as e
            where e.host_id = $4
                and ($5 is null or e.type = any ($5))
                and ($6 is null or e.level = any ($6))
                and e.at >= $7
                and e.at < $8
                and (e.at, e.id) %1$s ($1, $2)
            order by e.at %2$s, e.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_events
    using v_after.at, v_after.number, p_limit + 1, p_id, p_type::text[], p_level::text[], p_since, p_until;
    return api.page('events', p_sort, p_limit, v_events);
end
$$;

alter function api.own_host_event_list(
    uuid, integer, uuid, ccp.event_type[], ccp.event_level[], timestamptz, timestamptz, api.by_time, api.page_size,
    api.cursor
) owner to ccp_as_user;
revoke all on function api.own_host_event_list(
    uuid, integer, uuid, ccp.event_type[], ccp.event_level[], timestamptz, timestamptz, api.by_time, api.page_size,
    api.cursor
) from public;
grant execute on function api.own_host_event_list(
    uuid, integer, uuid, ccp.event_type[], ccp.event_level[], timestamptz, timestamptz, api.by_time, api.page_size,
    api.cursor
) to ccp_api;

comment on function api.own_host_event_list(
    uuid, integer, uuid, ccp.event_type[], ccp.event_level[], timestamptz, timestamptz, api.by_time, api.page_size,
    api.cursor
) is
'GET /v1/user/hosts/{id}/events: what happened with one of my hosts.';
