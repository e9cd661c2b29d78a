-- GET /v1/admin/webhooks: newest first unless asked otherwise. The query is planned for its values.
create or replace function api.webhook_list(
    p_login_id uuid,
    p_generation integer,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.webhook_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('webhooks', p_sort, p_cursor);
    v_webhooks api.webhook[];
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    execute format(
        $query$
        select array(
            select w
            from api.webhook as w
            where (w.created_at, w.id) %1$s ($1, $2)
            order by w.created_at %2$s, w.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_webhooks
    using v_after.at, v_after.id, p_limit + 1;
    return api.page('webhooks', p_sort, p_limit, v_webhooks);
end
$$;

revoke all on function api.webhook_list(uuid, integer, api.by_creation, api.page_size, api.cursor) from public;
grant execute on function api.webhook_list(uuid, integer, api.by_creation, api.page_size, api.cursor) to ccp_api;

comment on function api.webhook_list(uuid, integer, api.by_creation, api.page_size, api.cursor) is
'GET /v1/admin/webhooks: newest first unless asked otherwise.';
