-- GET /v1/admin/webhooks/{id}/deliveries: what was sent to a webhook and what waits, newest first unless asked otherwise.
-- The query is planned for its values.
create or replace function api.webhook_delivery_list(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_state api.delivery_state default 'any',
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.webhook_delivery_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('deliveries', p_sort, p_cursor);
    v_deliveries api.webhook_delivery[];
begin
    perform api.webhook_get(p_login_id, p_generation, p_id);
    execute format(
        $query$
        select array(
            select row(
                d.event_id::text, d.event_type, d.attempts, d.response_status, d.error_message, d.created_at, d.first_tried_at,
                d.tried_at, d.delivered_at
            )::api.webhook_delivery
            from ccp.webhook_deliveries as d
            where d.webhook_id = $4
                and (d.created_at, d.event_id) %1$s ($1, $2)
                %3$s
            order by d.created_at %2$s, d.event_id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction,
        case p_state
            when 'waiting' then 'and d.delivered_at is null'
            when 'delivered' then 'and d.delivered_at is not null'
        end
    )
    into v_deliveries
    using v_after.at, v_after.number, p_limit + 1, p_id;
    return api.page('deliveries', p_sort, p_limit, v_deliveries);
end
$$;

revoke all on function api.webhook_delivery_list(
    uuid, integer, uuid, api.delivery_state, api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function api.webhook_delivery_list(
    uuid, integer, uuid, api.delivery_state, api.by_creation, api.page_size, api.cursor
) to ccp_api;

comment on function api.webhook_delivery_list(
    uuid, integer, uuid, api.delivery_state, api.by_creation, api.page_size, api.cursor
) is
'GET /v1/admin/webhooks/{id}/deliveries: what was sent to a webhook and what waits.';
