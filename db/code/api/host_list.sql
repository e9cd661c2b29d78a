-- GET /v1/admin/hosts: hosts, newest first unless asked otherwise. Which ones is planned for the values, so that it can
-- use the index that fits the filters; what a host shows is looked up for those of the page only, by a plan that is kept:
-- half of the time was its planning. `any` in place of a join, which that plan would take for a thousand hosts.
create or replace function api.host_list(
    p_login_id uuid,
    p_generation integer,
    p_user_id uuid default null,
    p_egress_ip_id uuid default null,
    p_status ccp.host_state[] default null,
    p_proof api.proof_state[] default null,
    p_q api.filter default null,
    p_sort api.by_creation default '-created_at',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.host_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    v_after record := api.cursor_read('hosts', p_sort, p_cursor);
    v_users uuid[];
    v_ids uuid[];
    v_page api.host_page;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    if p_q is not null then
        execute 'select array(select u.id from ccp.users as u where starts_with(u.username, lower($1)))'
        into v_users
        using p_q;
    end if;
    execute format(
        $query$
        select array(
            select i.id
            from ccp.hosts as i
            left join ccp.observations as o on o.host_id = i.id
            where i.deleted_at is null
                and ($4 is null or i.user_id = $4)
                and ($5 is null or i.status = any ($5))
                and (
                    $6 is null
                    or starts_with(i.short_id, lower($6))
                    or starts_with(lower(i.label), lower($6))
                    or i.user_id = any ($7)
                )
                and (
                    $8 is null
                    or i.id in (select b.host_id from ccp.bindings as b where b.egress_ip_id = $8 and b.ended_at is null)
                )
                and ($9 is null or host.proof_is($9, o.failed_at, o.proven_at, o.proof_ends_at))
                and (i.created_at, i.id) %1$s ($1, $2)
            order by i.created_at %2$s, i.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_ids
    using v_after.at, v_after.id, p_limit + 1, p_user_id, p_status::text[], p_q, v_users, p_egress_ip_id, p_proof::text[];
    select *
    into v_page
    from api.page(
        'hosts', p_sort, p_limit,
        array(select h from api.host as h where h.id = any (v_ids) order by array_position(v_ids, h.id))
    );
    v_page.hosts := api.host_why(v_page.hosts);
    return v_page;
end
$$;

revoke all on function api.host_list(
    uuid, integer, uuid, uuid, ccp.host_state[], api.proof_state[], api.filter, api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function api.host_list(
    uuid, integer, uuid, uuid, ccp.host_state[], api.proof_state[], api.filter, api.by_creation, api.page_size, api.cursor
) to ccp_api;

comment on function api.host_list(
    uuid, integer, uuid, uuid, ccp.host_state[], api.proof_state[], api.filter, api.by_creation, api.page_size, api.cursor
) is
'GET /v1/admin/hosts: hosts, newest first unless asked otherwise.';
