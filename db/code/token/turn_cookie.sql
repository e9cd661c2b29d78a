-- A browser's refresh cookie is used: p_next takes its place. false: it was used before, by another who has a copy. For ten
-- seconds it may be used again, and makes another that counts as well: two tabs at once do that, and a browser that never read
-- the answer; whichever of them the browser keeps is good. Of what was made so, the first that is used replaces all. The caller
-- holds the login's row.
create or replace function token.turn_cookie(p_login_id uuid, p_sha256 text, p_next_sha256 text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_cookie ccp.refresh_cookies;
begin
    delete from ccp.refresh_cookies
    where login_id = p_login_id
        and replaced_at < clock.now() - interval '10 seconds';
    select c.*
    into v_cookie
    from ccp.refresh_cookies as c
    where c.login_id = p_login_id
        and c.sha256 = p_sha256;
    if not found then
        return false;
    end if;
    if v_cookie.replaced_at is null then
        update ccp.refresh_cookies
        set replaced_at = clock.now()
        where login_id = p_login_id
            and replaced_at is null;
    end if;
    insert into ccp.refresh_cookies (sha256, login_id)
    values (p_next_sha256, p_login_id);
    return true;
end
$$;

revoke all on function token.turn_cookie(uuid, text, text) from public;

comment on function token.turn_cookie(uuid, text, text) is
'A browser''s refresh cookie is used and another takes its place; false: it had been replaced before.';
