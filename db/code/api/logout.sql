-- POST /v1/auth/logout: revokes the token family. A browser's cookie may do it too, whatever its user may do now, and also one
-- that has been replaced: its use would end the family anyway.
create or replace function api.logout(
    p_login_id uuid,
    p_generation integer,
    p_cookie_id uuid default null,
    p_cookie_sha256 ccp.sha256 default null
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_cookie_id is null then
        perform account.enter(p_login_id, p_generation, 'user');
    end if;
    update ccp.logins as l
    set
        revoked_at = clock.now(),
        revoke_reason = 'logout'
    where l.id = coalesce(p_login_id, (select c.id from ccp.logins as c where c.cookie_id = p_cookie_id))
        and l.revoked_at is null
        and l.expires_at > clock.now();
    if not found then
        perform access.refuse('CP401', 'token_invalid', 'this login has ended', '{}', 'log in again');
    end if;
end
$$;

revoke all on function api.logout(uuid, integer, uuid, ccp.sha256) from public;
grant execute on function api.logout(uuid, integer, uuid, ccp.sha256) to ccp_api;

comment on function api.logout(uuid, integer, uuid, ccp.sha256) is
'POST /v1/auth/logout: revokes the token family.';
