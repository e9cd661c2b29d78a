-- GET /v1/user/hosts: my hosts, newest first.
create or replace function api.own_host_list(
    p_login_id uuid,
    p_generation integer,
    p_limit integer default 50,
    p_cursor text default null
)
returns api.host_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_after record := api.cursor_read(p_cursor);
    v_page api.host_page;
begin
    v_page.hosts := array(
        select h
        from api.host as h
        where h.user_id = v_user_id
            and (h.created_at, h.id) < (v_after.at, v_after.id)
        order by h.created_at desc, h.id desc
        limit p_limit + 1
    );
    if cardinality(v_page.hosts) > p_limit then
        v_page.hosts := v_page.hosts[:p_limit];
        v_page.next_cursor := api.cursor(v_page.hosts[p_limit].created_at, v_page.hosts[p_limit].id::text);
    end if;
    return v_page;
end
$$;

alter function api.own_host_list(uuid, integer, integer, text) owner to ccp_as_user;
revoke all on function api.own_host_list(uuid, integer, integer, text) from public;
grant execute on function api.own_host_list(uuid, integer, integer, text) to ccp_api;

comment on function api.own_host_list(uuid, integer, integer, text) is
'GET /v1/user/hosts: my hosts, newest first.';
