-- GET /v1/admin/egress-ips: exits, newest first unless asked otherwise. The query is planned for its values, so it can
-- use the index that fits the filters. An exit's state is asked of the table: what the view says when there is no row would be
-- estimated as a rare one, and all exits would be read and sorted for a page.
create or replace function api.egress_ip_list(
    p_login_id uuid,
    p_generation integer,
    p_status ccp.activation default null,
    p_bound boolean default null,
    p_label api.filter default null,
    p_state ccp.exit_state default null,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.egress_ip_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('egress_ips', p_sort, p_cursor);
    v_egress_ips api.egress_ip[];
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    execute format(
        $query$
        select array(
            select e
            from api.egress_ip as e
            where ($4 is null or e.status = $4)
                and (
                    $7 is null
                    or exists (select from ccp.exit_states as s where s.egress_ip_id = e.id and s.state = $7)
                    or (
                        $7 = 'available'
                        and not exists (select from ccp.exit_states as s where s.egress_ip_id = e.id)
                    )
                )
                and ($5 is null or starts_with(e.label, $5))
                and ($6 is null or $6 = (e.binding_id is not null))
                and (e.created_at, e.id) %1$s ($1, $2)
            order by e.created_at %2$s, e.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_egress_ips
    using v_after.at, v_after.id, p_limit + 1, p_status, p_label, p_bound, p_state;
    return api.page('egress_ips', p_sort, p_limit, v_egress_ips);
end
$$;

revoke all on function api.egress_ip_list(
    uuid, integer, ccp.activation, boolean, api.filter, ccp.exit_state, api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function api.egress_ip_list(
    uuid, integer, ccp.activation, boolean, api.filter, ccp.exit_state, api.by_creation, api.page_size, api.cursor
) to ccp_api;

comment on function api.egress_ip_list(
    uuid, integer, ccp.activation, boolean, api.filter, ccp.exit_state, api.by_creation, api.page_size, api.cursor
) is
'GET /v1/admin/egress-ips: exits, newest first unless asked otherwise.';
