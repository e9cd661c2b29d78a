-- GET /v1/user/hosts: my hosts, newest first unless asked otherwise. The query is planned for its values, so it can use
-- the index that fits the filters.
create or replace function api.own_host_list(
    p_login_id uuid,
    p_generation integer,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.host_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_after record := api.cursor_read('hosts', p_sort, p_cursor);
    v_hosts api.host[];
    v_page api.host_page;
begin
    execute format(
        $query$
        select array(
            select h
            from api.host as h
            where h.user_id = $4
                and (h.created_at, h.id) %1$s ($1, $2)
            order by h.created_at %2$s, h.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_hosts
    using v_after.at, v_after.id, p_limit + 1, v_user_id;
    select *
    into v_page
    from api.page('hosts', p_sort, p_limit, v_hosts);
    v_page.hosts := api.host_why(v_page.hosts);
    return v_page;
end
$$;

alter function api.own_host_list(uuid, integer, api.by_creation, api.page_size, api.cursor) owner to ccp_as_user;
revoke all on function api.own_host_list(uuid, integer, api.by_creation, api.page_size, api.cursor) from public;
grant execute on function api.own_host_list(uuid, integer, api.by_creation, api.page_size, api.cursor) to ccp_api;

comment on function api.own_host_list(uuid, integer, api.by_creation, api.page_size, api.cursor) is
'GET /v1/user/hosts: my hosts, newest first unless asked otherwise.';
