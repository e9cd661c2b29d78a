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
declare
    v_after record := api.cursor_read('ssh_keys', p_sort, p_cursor);
    v_ssh_keys api.ssh_key[];
begin
    perform api.user_get(p_login_id, p_generation, p_id);
    execute format(
        $query$
        select array(
            select k
            from api.ssh_key as k
            where k.user_id = $4
                and (k.created_at, k.id) %1$s ($1, $2)
            order by k.created_at %2$s, k.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_ssh_keys
    using v_after.at, v_after.id, p_limit + 1, p_id;
    return api.page('ssh_keys', p_sort, p_limit, v_ssh_keys);
end
$$;

revoke all on function api.ssh_key_list(uuid, integer, uuid, api.by_creation, api.page_size, api.cursor) from public;
grant execute on function api.ssh_key_list(uuid, integer, uuid, api.by_creation, api.page_size, api.cursor) to ccp_api;

comment on function api.ssh_key_list(uuid, integer, uuid, api.by_creation, api.page_size, api.cursor) is
'GET /v1/admin/users/{id}/ssh-keys: a user''s keys, newest first unless asked otherwise.';
