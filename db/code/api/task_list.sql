-- GET /v1/admin/tasks: tasks, newest first.
create or replace function api.task_list(
    p_login_id uuid,
    p_generation integer,
    p_status text default null,
    p_kind text default null,
    p_host_id uuid default null,
    p_user_id uuid default null,
    p_limit integer default 50,
    p_cursor text default null
)
returns api.task_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read(p_cursor);
    v_page api.task_page;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_page.tasks := array(
        select t
        from api.task as t
        where (p_status is null or t.status = p_status)
            and (p_kind is null or t.kind = p_kind)
            and (p_host_id is null or t.host_id = p_host_id)
            and (p_user_id is null or t.user_id = p_user_id)
            and (t.created_at, t.id) < (v_after.at, v_after.id)
        order by t.created_at desc, t.id desc
        limit p_limit + 1
    );
    if cardinality(v_page.tasks) > p_limit then
        v_page.tasks := v_page.tasks[:p_limit];
        v_page.next_cursor := api.cursor(v_page.tasks[p_limit].created_at, v_page.tasks[p_limit].id::text);
    end if;
    return v_page;
end
$$;

revoke all on function api.task_list(uuid, integer, text, text, uuid, uuid, integer, text) from public;
grant execute on function api.task_list(uuid, integer, text, text, uuid, uuid, integer, text) to ccp_api;

comment on function api.task_list(uuid, integer, text, text, uuid, uuid, integer, text) is
'GET /v1/admin/tasks: tasks, newest first.';
