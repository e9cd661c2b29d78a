-- GET /v1/admin/egress-ips/{id}.
create or replace function api.egress_ip_get(p_login_id uuid, p_generation integer, p_id uuid)
returns api.egress_ip
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit api.egress_ip;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select *
    into v_exit
    from api.egress_ip as e
    where e.id = p_id;
    if not found then
        perform api.not_found('egress_ip_not_found', 'exit');
    end if;
    return v_exit;
end
$$;

revoke all on function api.egress_ip_get(uuid, integer, uuid) from public;
grant execute on function api.egress_ip_get(uuid, integer, uuid) to ccp_api;

comment on function api.egress_ip_get(uuid, integer, uuid) is
'GET /v1/admin/egress-ips/{id}.';
