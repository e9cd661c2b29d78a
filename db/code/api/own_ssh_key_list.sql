-- GET /v1/user/ssh-keys: my keys, newest first unless asked otherwise.
create or replace function api.own_ssh_key_list(
    p_login_id uuid,
    p_generation integer,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.ssh_key_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
begin
    return account.key_page(v_user_id, p_sort, p_limit, p_cursor);
end
$$;

alter function api.own_ssh_key_list(uuid, integer, api.by_creation, api.page_size, api.cursor) owner to ccp_as_user;
revoke all on function api.own_ssh_key_list(uuid, integer, api.by_creation, api.page_size, api.cursor) from public;
grant execute on function api.own_ssh_key_list(uuid, integer, api.by_creation, api.page_size, api.cursor) to ccp_api;

comment on function api.own_ssh_key_list(uuid, integer, api.by_creation, api.page_size, api.cursor) is
'GET /v1/user/ssh-keys: my keys, newest first unless asked otherwise.';
