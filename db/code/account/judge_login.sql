-- Second half of a password login. The caller has checked the password against p_password_hash; that must still be the
-- user's, or the password was changed in between. Refusals are returned, not raised: an exception would erase the
-- penalty and the event. Expired and disabled are named only after the right password. p_subject is the name that was
-- tried, which is refused for its mistakes; p_user_id is null when it is nobody's. p_host_id: the host whose entry link
-- was used, else null.
create or replace function account.judge_login(
    p_subject text,
    p_user_id uuid,
    p_host_id uuid,
    p_address inet,
    p_matched boolean,
    p_password_hash text,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user record;
begin
    retry_after_s := access.penalty_check(p_address, p_subject);
    if retry_after_s > 0 then
        verdict := 'too_many_attempts';
        sentence := format('Too many attempts; try again in %s seconds.', retry_after_s);
        return;
    end if;
    select u.id, u.username, u.role, u.password_hash, account.state(u.disabled_at, u.expires_at) as state
    into v_user
    from ccp.users as u
    where u.id = p_user_id;

    if not p_matched or v_user.password_hash is distinct from p_password_hash or p_password_hash is null then
        perform access.penalty_add(p_address, p_subject, case when v_user.id is null then 'unknown_user' else 'auth_failed' end);
        perform account.act_as(null, coalesce(v_user.username, 'unknown'), 'anonymous', p_address);
        -- An unknown name may be a password typed into the wrong field: it is not written down.
        perform event.write(
            'auth.failed',
            case when v_user.id is null then 'a login with an unknown name was refused'
                else format('a login as %s with a wrong password was refused', v_user.username) end,
            v_user.id, p_host_id
        );
        verdict := 'auth_invalid';
        sentence := 'User name or password is wrong.';
        return;
    end if;

    perform account.act_as(v_user.id, v_user.username, v_user.role, p_address);
    if v_user.state <> 'active' then
        perform event.write(
            'auth.failed', format('a login as %s was refused: the account is %s', v_user.username, v_user.state),
            v_user.id, p_host_id
        );
        verdict := 'account_' || v_user.state;
        sentence := case v_user.state
            when 'disabled' then 'This account is disabled; ask your administrator.'
            else 'This account has expired; ask your administrator to extend it.'
        end;
        return;
    end if;
    perform event.write('auth.success', format('%s logged in', v_user.username), v_user.id, p_host_id);
    verdict := 'ok';
end
$$;

revoke all on function account.judge_login(text, uuid, uuid, inet, boolean, text) from public;

comment on function account.judge_login(text, uuid, uuid, inet, boolean, text) is
'Second half of a password login; refusals are returned and leave their trace.';
