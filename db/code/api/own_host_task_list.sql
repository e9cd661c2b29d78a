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
declare
    v_after record := api.cursor_read('tasks', p_sort, p_cursor);
    v_tasks api.task[];
begin
    perform api.own_host_enter(p_login_id, p_generation, p_id);
    execute format(
        $query$
        select array(
            select t
            from api.task as t
            where t.host_id = $4
                and ($5 is null or t.status = any ($5))
                and ($6 is null or t.kind = any ($6))
                and (t.created_at, t.id) %1$s ($1, $2)
            order by t.created_at %2$s, t.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_tasks
    using v_after.at, v_after.id, p_limit + 1, p_id, p_status::text[], p_kind::text[];
    return api.page('tasks', p_sort, p_limit, v_tasks);
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
