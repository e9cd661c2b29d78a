-- GET /v1/admin/events: events, newest first unless asked otherwise. The live stream reads by snapshot instead.
create or replace function api.event_list(
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
    p_sort api.by_time default '-time',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.event_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    return api.page(
        'events', p_sort, p_limit,
        event.find(
            p_sort, p_cursor, p_limit + 1, p_type, p_user_id, p_host_id, p_task_id, p_level, p_actor, p_q, p_since, p_until
        )
    );
end
$$;

revoke all on function api.event_list(
    uuid, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, api.filter, timestamptz, timestamptz,
    api.by_time, api.page_size, api.cursor
) from public;
grant execute on function api.event_list(
    uuid, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, api.filter, timestamptz, timestamptz,
    api.by_time, api.page_size, api.cursor
) to ccp_api;

comment on function api.event_list(
    uuid, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, api.filter, timestamptz, timestamptz,
    api.by_time, api.page_size, api.cursor
) is
'GET /v1/admin/events: events, newest first unless asked otherwise.';
