-- GET /v1/admin/sessions: who is in which host, newest first unless asked otherwise; those that are open unless asked
-- otherwise. The query is planned for its values, so it can use the index that fits the filters.
create or replace function api.session_list(
    p_login_id uuid,
    p_generation integer,
    p_state api.session_state default 'open',
    p_kind ccp.session_kind default null,
    p_user_id uuid default null,
    p_host_id uuid default null,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.session_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('sessions', p_sort, p_cursor);
    v_sessions api.session[];
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    execute format(
        $query$
        select array(
            select s
            from api.session as s
            where ($4 = 'any' or ($4 = 'open' and s.ended_at is null) or ($4 = 'ended' and s.ended_at is not null))
                and ($5 is null or s.kind = $5)
                and ($6 is null or s.user_id = $6)
                and ($7 is null or s.host_id = $7)
                and (s.created_at, s.id) %1$s ($1, $2)
            order by s.created_at %2$s, s.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_sessions
    using v_after.at, v_after.id, p_limit + 1, p_state, p_kind, p_user_id, p_host_id;
    return api.page('sessions', p_sort, p_limit, v_sessions);
end
$$;

revoke all on function api.session_list(
    uuid, integer, api.session_state, ccp.session_kind, uuid, uuid, api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function api.session_list(
    uuid, integer, api.session_state, ccp.session_kind, uuid, uuid, api.by_creation, api.page_size, api.cursor
) to ccp_api;

comment on function api.session_list(
    uuid, integer, api.session_state, ccp.session_kind, uuid, uuid, api.by_creation, api.page_size, api.cursor
) is
'GET /v1/admin/sessions: who is in which host, newest first unless asked otherwise.';
