-- GET /v1/admin/egress-ips: exits, newest first.
create or replace function api.egress_ip_list(
    p_login_id uuid,
    p_generation integer,
    p_limit integer default 50,
    p_cursor text default null
)
returns api.egress_ip_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read(p_cursor);
    v_page api.egress_ip_page;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_page.egress_ips := array(
        select e
        from api.egress_ip as e
        where (e.created_at, e.id) < (v_after.at, v_after.id)
        order by e.created_at desc, e.id desc
        limit p_limit + 1
    );
    if cardinality(v_page.egress_ips) > p_limit then
        v_page.egress_ips := v_page.egress_ips[:p_limit];
        v_page.next_cursor := api.cursor(v_page.egress_ips[p_limit].created_at, v_page.egress_ips[p_limit].id::text);
    end if;
    return v_page;
end
$$;

revoke all on function api.egress_ip_list(uuid, integer, integer, text) from public;
grant execute on function api.egress_ip_list(uuid, integer, integer, text) to ccp_api;

comment on function api.egress_ip_list(uuid, integer, integer, text) is
'GET /v1/admin/egress-ips: exits, newest first.';
