-- GET /v1/admin/users/{id}.
create or replace function api.user_get(p_login_id uuid, p_generation integer, p_id uuid)
returns api.user
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user api.user;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select *
    into v_user
    from api.user as u
    where u.id = p_id;
    if not found then
        perform api.not_found('user_not_found', 'user');
    end if;
    return v_user;
end
$$;

revoke all on function api.user_get(uuid, integer, uuid) from public;
grant execute on function api.user_get(uuid, integer, uuid) to ccp_api;

comment on function api.user_get(uuid, integer, uuid) is
'GET /v1/admin/users/{id}.';
