-- GET /v1/admin/events: events by id, newest first unless asked otherwise. The live stream reads by snapshot instead.
-- The query is planned again for its values, so it can use the index that fits the filters.
create or replace function api.event_list(
    p_login_id uuid,
    p_generation integer,
    p_type api.filter default null,
    p_user_id uuid default null,
    p_host_id uuid default null,
    p_task_id uuid default null,
    p_level ccp.event_level default null,
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
    v_after record := api.cursor_read('events', p_sort, p_cursor);
    v_events api.event[];
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    execute format(
        $query$
        select array(
            select row(
                e.id::text, e.at, e.level, e.type, e.message, e.actor, e.actor_role, e.actor_address,
                e.user_id, e.host_id, e.task_id, e.metadata
            )::api.event
            from ccp.events as e
            where e.id %1$s $1
                and ($3 is null or e.type = $3)
                and ($4 is null or e.user_id = $4)
                and ($5 is null or e.host_id = $5)
                and ($6 is null or e.task_id = $6)
                and ($7 is null or e.level = $7)
                and e.at >= $8
                and e.at < $9
            order by e.id %2$s
            limit $2
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_events
    using
        v_after.number, p_limit + 1, p_type, p_user_id, p_host_id, p_task_id, p_level, p_since, p_until;
    return api.page('events', p_sort, p_limit, v_events);
end
$$;

revoke all on function api.event_list(
    uuid, integer, api.filter, uuid, uuid, uuid, ccp.event_level, timestamptz, timestamptz, api.by_time, api.page_size,
    api.cursor
) from public;
grant execute on function api.event_list(
    uuid, integer, api.filter, uuid, uuid, uuid, ccp.event_level, timestamptz, timestamptz, api.by_time, api.page_size,
    api.cursor
) to ccp_api;

comment on function api.event_list(
    uuid, integer, api.filter, uuid, uuid, uuid, ccp.event_level, timestamptz, timestamptz, api.by_time, api.page_size,
    api.cursor
) is
'GET /v1/admin/events: events, newest first unless asked otherwise.';
