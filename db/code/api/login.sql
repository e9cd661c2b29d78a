-- POST /v1/auth/login, after the password was checked: begins a token family, with a cookie a browser's. The token itself is
-- signed by the API. So is the cookie's secret made there, which stands behind cookie_id and counts for cookie_life_s.
create or replace function api.login(
    p_username api.login_name,
    p_address inet,
    p_matched boolean,
    p_password_hash text,
    p_new_cookie_sha256 ccp.sha256 default null,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out answer api.login,
    out user_id uuid,
    out login_id uuid,
    out generation integer,
    out cookie_id uuid,
    out cookie_life_s integer
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_login record;
    v_life interval := interval '7 days';
begin
    v_login := account.login(p_username, p_address, p_matched, p_password_hash);
    verdict := v_login.verdict;
    retry_after_s := v_login.retry_after_s;
    sentence := v_login.sentence;
    if verdict <> 'ok' then
        return;
    end if;
    if p_new_cookie_sha256 is not null then
        cookie_id := gen_random_uuid();
        cookie_life_s := extract(epoch from v_life);
    end if;
    insert into ccp.logins as l (user_id, cookie_id, address, expires_at)
    values (v_login.user_id, cookie_id, p_address, clock.now() + v_life)
    returning l.user_id, l.id, l.generation into user_id, login_id, generation;
    if cookie_id is not null then
        insert into ccp.refresh_cookies (sha256, login_id)
        values (p_new_cookie_sha256, login_id);
    end if;
    answer := token.answer(user_id, cookie_id is not null);
end
$$;

revoke all on function api.login(api.login_name, inet, boolean, text, ccp.sha256) from public;
grant execute on function api.login(api.login_name, inet, boolean, text, ccp.sha256) to ccp_api;

comment on function api.login(api.login_name, inet, boolean, text, ccp.sha256) is
'POST /v1/auth/login: begins a token family.';
