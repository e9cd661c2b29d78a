-- POST /v1/auth/logout: revokes the token family.
create or replace function api.logout(p_login_id uuid, p_generation integer)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'user');
    update ccp.logins
    set
        revoked_at = clock.now(),
        revoke_reason = 'logout'
    where id = p_login_id;
end
$$;

revoke all on function api.logout(uuid, integer) from public;
grant execute on function api.logout(uuid, integer) to ccp_api;

comment on function api.logout(uuid, integer) is
'POST /v1/auth/logout: revokes the token family.';
