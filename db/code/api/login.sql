-- POST /v1/auth/login, after the password was checked: begins a token family. The token itself is signed by the API.
create or replace function api.login(
    p_username api.login_name,
    p_address inet,
    p_matched boolean,
    p_password_hash text,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out answer api.login,
    out user_id uuid,
    out login_id uuid,
    out generation integer
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_login record;
begin
    v_login := account.login(p_username, p_address, p_matched, p_password_hash);
    verdict := v_login.verdict;
    retry_after_s := v_login.retry_after_s;
    sentence := v_login.sentence;
    if verdict <> 'ok' then
        return;
    end if;
    insert into ccp.logins as l (user_id, address, expires_at)
    values (v_login.user_id, p_address, clock.now() + interval '7 days')
    returning l.user_id, l.id, l.generation into user_id, login_id, generation;
    answer := token.answer(user_id);
end
$$;

revoke all on function api.login(api.login_name, inet, boolean, text) from public;
grant execute on function api.login(api.login_name, inet, boolean, text) to ccp_api;

comment on function api.login(api.login_name, inet, boolean, text) is
'POST /v1/auth/login: begins a token family.';
