-- GET /v1/user/me: who I am.
create or replace function api.own_user_get(p_login_id uuid, p_generation integer)
returns api.user
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_user api.user;
begin
    select *
    into strict v_user
    from api.user as u
    where u.id = v_user_id;
    return v_user;
end
$$;

alter function api.own_user_get(uuid, integer) owner to ccp_as_user;
revoke all on function api.own_user_get(uuid, integer) from public;
grant execute on function api.own_user_get(uuid, integer) to ccp_api;

comment on function api.own_user_get(uuid, integer) is
'GET /v1/user/me: who I am.';
