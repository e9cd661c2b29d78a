-- GET /v1/admin/sessions: who is in which host, newest first unless asked otherwise; those that are open unless asked
-- otherwise.
create or replace function api.session_list(
    p_login_id uuid,
    p_generation integer,
    p_state api.session_state default 'open',
    p_kind ccp.session_kind default null,
    p_user_id uuid default null,
    p_host_id uuid default null,
    p_since timestamptz default '-infinity',
    p_until timestamptz default 'infinity',
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.session_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    return session.page(p_state, p_kind, p_user_id, p_host_id, p_since, p_until, p_sort, p_limit, p_cursor);
end
$$;

revoke all on function api.session_list(
    uuid, integer, api.session_state, ccp.session_kind, uuid, uuid, timestamptz, timestamptz, api.by_creation, api.page_size,
    api.cursor
) from public;
grant execute on function api.session_list(
    uuid, integer, api.session_state, ccp.session_kind, uuid, uuid, timestamptz, timestamptz, api.by_creation, api.page_size,
    api.cursor
) to ccp_api;

comment on function api.session_list(
    uuid, integer, api.session_state, ccp.session_kind, uuid, uuid, timestamptz, timestamptz, api.by_creation, api.page_size,
    api.cursor
) is
'GET /v1/admin/sessions: who is in which host, newest first unless asked otherwise.';
