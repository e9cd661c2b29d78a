-- GET /v1/admin/nodes: machines, newest first unless asked otherwise. The query is planned for its values.
create or replace function api.node_list(
    p_login_id uuid,
    p_generation integer,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.node_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('nodes', p_sort, p_cursor);
    v_nodes api.node[];
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    execute format(
        $query$
        select array(
            select n
            from api.node as n
            where n.created_at %1$s= $1
                and (n.created_at <> $1 or n.id %1$s $2)
            order by n.created_at %2$s, n.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_nodes
    using v_after.at, v_after.number, p_limit + 1;
    return api.page('nodes', p_sort, p_limit, v_nodes);
end
$$;

revoke all on function api.node_list(uuid, integer, api.by_creation, api.page_size, api.cursor) from public;
grant execute on function api.node_list(uuid, integer, api.by_creation, api.page_size, api.cursor) to ccp_api;

comment on function api.node_list(uuid, integer, api.by_creation, api.page_size, api.cursor) is
'GET /v1/admin/nodes: machines, newest first unless asked otherwise.';
