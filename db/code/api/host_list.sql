-- GET /v1/admin/hosts: hosts, newest first.
create or replace function api.host_list(
    p_login_id uuid,
    p_generation integer,
    p_user_id uuid default null,
    p_status text default null,
    p_limit integer default 50,
    p_cursor text default null
)
returns api.host_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read(p_cursor);
    v_page api.host_page;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_page.hosts := array(
        select h
        from api.host as h
        where (p_user_id is null or h.user_id = p_user_id)
            and (p_status is null or h.status = p_status)
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

revoke all on function api.host_list(uuid, integer, uuid, text, integer, text) from public;
grant execute on function api.host_list(uuid, integer, uuid, text, integer, text) to ccp_api;

comment on function api.host_list(uuid, integer, uuid, text, integer, text) is
'GET /v1/admin/hosts: hosts, newest first.';
