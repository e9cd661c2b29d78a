-- POST /v1/auth/refresh: raises the generation, so the old token becomes invalid. An old token that comes
-- back later than ten seconds after its refresh was stolen or copied: the whole family is revoked, which is why
-- refusals are returned and not raised. Two refreshes at once: one wins.
create or replace function api.refresh(
    p_login_id uuid,
    p_generation integer,
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
    select l.*, u.username, u.role, account.state(u.disabled_at, u.expires_at) as state
    into v_login
    from ccp.logins as l
    join ccp.users as u on u.id = l.user_id
    where l.id = p_login_id
    for no key update of l;
    verdict := 'unauthenticated';
    sentence := 'This login has ended; log in again.';
    if v_login.id is null or v_login.revoked_at is not null or v_login.expires_at <= clock.now() then
        return;
    end if;
    perform account.act_as(v_login.user_id, v_login.username, v_login.role, v_login.address);
    if v_login.generation <> p_generation then
        if v_login.refreshed_at < clock.now() - interval '10 seconds' then
            update ccp.logins as l
            set
                revoked_at = clock.now(),
                revoke_reason = 'reuse'
            where l.id = p_login_id;
            perform event.write(
                'warning', 'auth.failed',
                format('a token of %s that had been replaced was used again; that login is revoked', v_login.username),
                v_login.user_id
            );
        end if;
        return;
    end if;
    if v_login.state <> 'active' then
        verdict := 'account_' || v_login.state;
        sentence := format('This account is %s; ask your administrator.', v_login.state);
        return;
    end if;
    update ccp.logins as l
    set
        generation = l.generation + 1,
        refreshed_at = clock.now()
    where l.id = p_login_id
    returning l.user_id, l.id, l.generation into user_id, login_id, generation;
    verdict := 'ok';
    sentence := null;
    answer := token.answer(user_id);
end
$$;

revoke all on function api.refresh(uuid, integer) from public;
grant execute on function api.refresh(uuid, integer) to ccp_api;

comment on function api.refresh(uuid, integer) is
'POST /v1/auth/refresh: a new token; the old one becomes invalid.';
