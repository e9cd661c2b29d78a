-- GET /v1/admin/users/{id}/ssh-keys: a user's keys, newest first unless asked otherwise.
create or replace function api.ssh_key_list(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.ssh_key_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform api.user_get(p_login_id, p_generation, p_id);
    return account.key_page(p_id, p_sort, p_limit, p_cursor);
end
$$;

revoke all on function api.ssh_key_list(uuid, integer, uuid, api.by_creation, api.page_size, api.cursor) from public;
grant execute on function api.ssh_key_list(uuid, integer, uuid, api.by_creation, api.page_size, api.cursor) to ccp_api;

comment on function api.ssh_key_list(uuid, integer, uuid, api.by_creation, api.page_size, api.cursor) is
'GET /v1/admin/users/{id}/ssh-keys: a user''s keys, newest first unless asked otherwise.';
