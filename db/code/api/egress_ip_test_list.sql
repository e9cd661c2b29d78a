-- GET /v1/admin/egress-ips/{id}/tests: the last tests of an exit, newest first unless asked otherwise.
create or replace function api.egress_ip_test_list(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_outcome ccp.outcome[] default null,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.egress_test_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('tests', p_sort, p_cursor);
    v_tests api.egress_test[];
begin
    perform api.egress_ip_get(p_login_id, p_generation, p_id);
    execute format(
        $query$
        select array(
            select t
            from api.egress_test as t
            where t.egress_ip_id = $4
                and ($5 is null or t.outcome = any ($5))
                and (t.created_at, t.id) %1$s ($1, $2)
            order by t.created_at %2$s, t.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_tests
    using v_after.at, v_after.id, p_limit + 1, p_id, p_outcome::text[];
    return api.page('tests', p_sort, p_limit, v_tests);
end
$$;

revoke all on function api.egress_ip_test_list(
    uuid, integer, uuid, ccp.outcome[], api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function api.egress_ip_test_list(
    uuid, integer, uuid, ccp.outcome[], api.by_creation, api.page_size, api.cursor
) to ccp_api;

comment on function api.egress_ip_test_list(
    uuid, integer, uuid, ccp.outcome[], api.by_creation, api.page_size, api.cursor
) is
'GET /v1/admin/egress-ips/{id}/tests: the last tests of an exit.';
