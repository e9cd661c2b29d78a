-- GET /v1/user/ssh-keys: my keys, newest first.
create or replace function api.own_ssh_key_list(
    p_login_id uuid,
    p_generation integer,
    p_limit integer default 50,
    p_cursor text default null
)
returns api.ssh_key_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_after record := api.cursor_read(p_cursor);
    v_page api.ssh_key_page;
begin
    v_page.ssh_keys := array(
        select k
        from api.ssh_key as k
        where v_user_id is not null
            and (k.created_at, k.id) < (v_after.at, v_after.id)
        order by k.created_at desc, k.id desc
        limit p_limit + 1
    );
    if cardinality(v_page.ssh_keys) > p_limit then
        v_page.ssh_keys := v_page.ssh_keys[:p_limit];
        v_page.next_cursor := api.cursor(v_page.ssh_keys[p_limit].created_at, v_page.ssh_keys[p_limit].id::text);
    end if;
    return v_page;
end
$$;

alter function api.own_ssh_key_list(uuid, integer, integer, text) owner to ccp_as_user;
revoke all on function api.own_ssh_key_list(uuid, integer, integer, text) from public;
grant execute on function api.own_ssh_key_list(uuid, integer, integer, text) to ccp_api;

comment on function api.own_ssh_key_list(uuid, integer, integer, text) is
'GET /v1/user/ssh-keys: my keys, newest first.';
