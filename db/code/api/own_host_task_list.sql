-- GET /v1/user/hosts/{id}/tasks: what was and is done with one of my hosts, newest first unless asked otherwise.
create or replace function api.own_host_task_list(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_status ccp.task_state[] default null,
    p_kind api.filter[] default null,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.task_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform api.own_host_enter(p_login_id, p_generation, p_id);
    return task.page(p_status, p_kind, p_id, null, p_sort, p_limit, p_cursor);
end
$$;

alter function api.own_host_task_list(
    uuid, integer, uuid, ccp.task_state[], api.filter[], api.by_creation, api.page_size, api.cursor
) owner to ccp_as_user;
revoke all on function api.own_host_task_list(
    uuid, integer, uuid, ccp.task_state[], api.filter[], api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function api.own_host_task_list(
    uuid, integer, uuid, ccp.task_state[], api.filter[], api.by_creation, api.page_size, api.cursor
) to ccp_api;

comment on function api.own_host_task_list(
    uuid, integer, uuid, ccp.task_state[], api.filter[], api.by_creation, api.page_size, api.cursor
) is
'GET /v1/user/hosts/{id}/tasks: what was and is done with one of my hosts.';
