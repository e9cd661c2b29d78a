-- GET /v1/admin/tasks: tasks, newest first unless asked otherwise.
create or replace function api.task_list(
    p_login_id uuid,
    p_generation integer,
    p_status ccp.task_state[] default null,
    p_kind api.filter[] default null,
    p_host_id uuid default null,
    p_user_id uuid default null,
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
    perform account.enter(p_login_id, p_generation, 'admin');
    return task.page(p_status, p_kind, p_host_id, p_user_id, p_sort, p_limit, p_cursor);
end
$$;

revoke all on function api.task_list(
    uuid, integer, ccp.task_state[], api.filter[], uuid, uuid, api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function api.task_list(
    uuid, integer, ccp.task_state[], api.filter[], uuid, uuid, api.by_creation, api.page_size, api.cursor
) to ccp_api;

comment on function api.task_list(
    uuid, integer, ccp.task_state[], api.filter[], uuid, uuid, api.by_creation, api.page_size, api.cursor
) is
'GET /v1/admin/tasks: tasks, newest first unless asked otherwise.';
