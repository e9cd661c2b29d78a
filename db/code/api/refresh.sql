-- POST /v1/auth/refresh. By token: raises the generation, so the old token becomes invalid; two at once: one wins. By a browser's
-- cookie: another takes its place (token.turn_cookie), and the tokens of its tabs go on until they expire. A token that comes
-- back later than ten seconds after its refresh, or a cookie likewise, was stolen or copied: the whole family is revoked, which
-- is why refusals are returned and not raised.
create or replace function api.refresh(
    p_login_id uuid,
    p_generation integer,
    p_cookie_id uuid default null,
    p_cookie_sha256 ccp.sha256 default null,
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
    v_by_cookie boolean := p_cookie_id is not null;
    v_login record;
begin
    select l.*, u.username, u.role, account.state(u.disabled_at, u.expires_at) as state
    into v_login
    from ccp.logins as l
    join ccp.users as u on u.id = l.user_id
    where l.id = coalesce(p_login_id, (select c.id from ccp.logins as c where c.cookie_id = p_cookie_id))
        and l.revoked_at is null
        and l.expires_at > clock.now()
    for no key update of l;
    verdict := 'unauthenticated';
    sentence := 'This login has ended; log in again.';
    if v_login.id is null then
        return;
    end if;
    perform account.act_as(v_login.user_id, v_login.username, v_login.role, v_login.address);
    if v_login.cookie_id is not null and not v_by_cookie then
        verdict := 'cookie_required';
        sentence := 'This login is a browser''s: its cookie renews it, a token does not.';
        return;
    end if;
    if v_login.state <> 'active' then
        verdict := 'account_' || v_login.state;
        sentence := format('This account is %s; ask your administrator.', v_login.state);
        return;
    end if;
    if v_by_cookie and not token.turn_cookie(v_login.id, p_cookie_sha256, p_new_cookie_sha256) then
        perform token.reused(v_login.id);
        return;
    elsif v_login.generation <> p_generation then
        if v_login.refreshed_at < clock.now() - interval '10 seconds' then
            perform token.reused(v_login.id);
        end if;
        return;
    end if;
    update ccp.logins as l
    set
        generation = l.generation + case when v_by_cookie then 0 else 1 end,
        refreshed_at = clock.now()
    where l.id = v_login.id
    returning l.user_id, l.id, l.generation into user_id, login_id, generation;
    if v_by_cookie then
        cookie_id := p_cookie_id;
        cookie_life_s := floor(extract(epoch from v_login.expires_at - clock.now()));
    end if;
    verdict := 'ok';
    sentence := null;
    answer := token.answer(user_id, v_by_cookie);
end
$$;

revoke all on function api.refresh(uuid, integer, uuid, ccp.sha256, ccp.sha256) from public;
grant execute on function api.refresh(uuid, integer, uuid, ccp.sha256, ccp.sha256) to ccp_api;

comment on function api.refresh(uuid, integer, uuid, ccp.sha256, ccp.sha256) is
'POST /v1/auth/refresh: a new token, by the old one or by a browser''s cookie.';
