-- A page of the tasks that fit the filters, in the order of p_sort. The query is planned for its values, so it can use the
-- index that fits the filters.
create or replace function task.page(
    p_status ccp.task_state[],
    p_kind api.filter[],
    p_host_id uuid,
    p_user_id uuid,
    p_sort api.by_creation,
    p_limit api.page_size,
    p_cursor api.cursor
)
returns api.task_page
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('tasks', p_sort, p_cursor);
    v_tasks api.task[];
begin
    execute format(
        $query$
        select array(
            select t
            from api.task as t
            where ($4 is null or t.status = any ($4))
                and ($5 is null or t.kind = any ($5))
                and ($6 is null or t.host_id = $6)
                and ($7 is null or t.user_id = $7)
                and (t.created_at, t.id) %1$s ($1, $2)
            order by t.created_at %2$s, t.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_tasks
    using v_after.at, v_after.id, p_limit + 1, p_status::text[], p_kind::text[], p_host_id, p_user_id;
    return api.page('tasks', p_sort, p_limit, v_tasks);
end
$$;

revoke all on function task.page(
    ccp.task_state[], api.filter[], uuid, uuid, api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function task.page(
    ccp.task_state[], api.filter[], uuid, uuid, api.by_creation, api.page_size, api.cursor
) to ccp_as_user;

comment on function task.page(
    ccp.task_state[], api.filter[], uuid, uuid, api.by_creation, api.page_size, api.cursor
) is
'A page of the tasks that fit the filters.';
