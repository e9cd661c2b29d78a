-- GET /v1/admin/hosts/{id}.
create or replace function api.host_get(p_login_id uuid, p_generation integer, p_id uuid)
returns api.host
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host api.host;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select *
    into v_host
    from api.host as h
    where h.id = p_id;
    if not found then
        perform api.not_found('host_not_found', 'host');
    end if;
    return (api.host_why(array[v_host]))[1];
end
$$;

revoke all on function api.host_get(uuid, integer, uuid) from public;
grant execute on function api.host_get(uuid, integer, uuid) to ccp_api;

comment on function api.host_get(uuid, integer, uuid) is
'GET /v1/admin/hosts/{id}.';
