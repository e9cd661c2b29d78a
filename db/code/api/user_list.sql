-- GET /v1/admin/users: users, newest first.
create or replace function api.user_list(
    p_login_id uuid,
    p_generation integer,
    p_limit integer default 50,
    p_cursor text default null
)
returns api.user_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read(p_cursor);
    v_page api.user_page;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_page.users := array(
        select u
        from api.user as u
        where (u.created_at, u.id) < (v_after.at, v_after.id)
        order by u.created_at desc, u.id desc
        limit p_limit + 1
    );
    if cardinality(v_page.users) > p_limit then
        v_page.users := v_page.users[:p_limit];
        v_page.next_cursor := api.cursor(v_page.users[p_limit].created_at, v_page.users[p_limit].id::text);
    end if;
    return v_page;
end
$$;

revoke all on function api.user_list(uuid, integer, integer, text) from public;
grant execute on function api.user_list(uuid, integer, integer, text) to ccp_api;

comment on function api.user_list(uuid, integer, integer, text) is
'GET /v1/admin/users: users, newest first.';
