-- GET /v1/admin/users: users, newest first unless asked otherwise. The query is planned for its values, so it can use
-- the index that fits the filters.
create or replace function api.user_list(
    p_login_id uuid,
    p_generation integer,
    p_status ccp.user_state[] default null,
    p_role ccp.role default null,
    p_expires_before timestamptz default null,
    p_username api.filter default null,
    p_q api.filter default null,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.user_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('users', p_sort, p_cursor);
    v_users api.user[];
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    execute format(
        $query$
        select array(
            select u
            from api.user as u
            where ($4 is null or u.status = any ($4))
                and ($5 is null or u.role = $5)
                and ($6 is null or starts_with(u.username, $6))
                and ($8 is null or u.expires_at < $8)
                and ($7 is null or starts_with(u.username, lower($7)) or starts_with(u.short_id, lower($7)))
                and (u.created_at, u.id) %1$s ($1, $2)
            order by u.created_at %2$s, u.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_users
    using v_after.at, v_after.id, p_limit + 1, p_status, p_role, p_username, p_q, p_expires_before;
    return api.page('users', p_sort, p_limit, v_users);
end
$$;

revoke all on function api.user_list(
    uuid, integer, ccp.user_state[], ccp.role, timestamptz, api.filter, api.filter, api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function api.user_list(
    uuid, integer, ccp.user_state[], ccp.role, timestamptz, api.filter, api.filter, api.by_creation, api.page_size, api.cursor
) to ccp_api;

comment on function api.user_list(
    uuid, integer, ccp.user_state[], ccp.role, timestamptz, api.filter, api.filter, api.by_creation, api.page_size, api.cursor
) is
'GET /v1/admin/users: users, newest first unless asked otherwise.';
