-- A token or a cookie that had been replaced has come back: it was copied, so the whole family ends, with whoever has the copy.
create or replace function token.reused(p_login_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user record;
begin
    update ccp.logins as l
    set
        revoked_at = clock.now(),
        revoke_reason = 'reuse'
    from ccp.users as u
    where l.id = p_login_id
        and u.id = l.user_id
    returning u.id, u.username, l.cookie_id is not null as by_cookie into v_user;
    perform event.write(
        'auth.failed',
        format(
            'a %s of %s that had been replaced was used again; that login is revoked',
            case when v_user.by_cookie then 'cookie' else 'token' end, v_user.username
        ),
        v_user.id
    );
end
$$;

revoke all on function token.reused(uuid) from public;

comment on function token.reused(uuid) is
'A token or a cookie that had been replaced has come back: the family ends.';
