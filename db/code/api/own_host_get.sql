-- GET /v1/user/hosts/{id}: one of my hosts.
create or replace function api.own_host_get(p_login_id uuid, p_generation integer, p_id uuid)
returns api.host
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_host api.host;
begin
    select *
    into v_host
    from api.host as h
    where h.id = p_id
        and h.user_id = v_user_id;
    if not found then
        perform api.not_found('host_not_found', 'host');
    end if;
    return (api.host_why(array[v_host]))[1];
end
$$;

alter function api.own_host_get(uuid, integer, uuid) owner to ccp_as_user;
revoke all on function api.own_host_get(uuid, integer, uuid) from public;
grant execute on function api.own_host_get(uuid, integer, uuid) to ccp_api;

comment on function api.own_host_get(uuid, integer, uuid) is
'GET /v1/user/hosts/{id}: one of my hosts.';
