-- A page of a user's public keys, in the order of p_sort.
create or replace function account.key_page(p_user_id uuid, p_sort api.by_creation, p_limit api.page_size, p_cursor api.cursor)
returns api.ssh_key_page
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('ssh_keys', p_sort, p_cursor);
    v_ssh_keys api.ssh_key[];
begin
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
    using v_after.at, v_after.id, p_limit + 1, p_user_id;
    return api.page('ssh_keys', p_sort, p_limit, v_ssh_keys);
end
$$;

revoke all on function account.key_page(uuid, api.by_creation, api.page_size, api.cursor) from public;
grant execute on function account.key_page(uuid, api.by_creation, api.page_size, api.cursor) to ccp_as_user;

comment on function account.key_page(uuid, api.by_creation, api.page_size, api.cursor) is
'A page of a user''s public keys.';
