-- A user who has entered changes the password. The caller has checked the old one against p_password_hash; that must
-- still be the user's, or it was changed in between: of two changes at once one is refused. A wrong one costs what a
-- wrong login does. Ends the user's other logins; p_login_id goes on. Refusals are returned, not raised: an exception
-- would erase the penalty and the event.
create or replace function account.change_password(
    p_user_id uuid,
    p_login_id uuid,
    p_address inet,
    p_matched boolean,
    p_password_hash text,
    p_new_password_hash ccp.bcrypt,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out logins integer
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users := account.lock(p_user_id);
begin
    retry_after_s := access.penalty_check(p_address, v_user.username);
    if retry_after_s > 0 then
        verdict := 'too_many_attempts';
        sentence := format('Too many attempts; try again in %s seconds.', retry_after_s);
        return;
    end if;
    if not p_matched or v_user.password_hash is distinct from p_password_hash or p_password_hash is null then
        perform access.penalty_add(p_address, v_user.username, 'auth_failed');
        perform event.write(
            'auth.failed', format('a change of the password of %s with a wrong old one was refused', v_user.username),
            p_user_id
        );
        verdict := 'auth_invalid';
        sentence := 'The old password is wrong; this login goes on.';
        return;
    end if;
    update ccp.users
    set
        password_hash = p_new_password_hash,
        password_changed_at = clock.now()
    where id = p_user_id;
    logins := account.end_logins(p_user_id, 'password', p_login_id);
    perform event.write(
        'user.password_changed', format('%s has changed the password', v_user.username), p_user_id, null, null,
        jsonb_build_object('logins', logins)
    );
    verdict := 'ok';
end
$$;

revoke all on function account.change_password(uuid, uuid, inet, boolean, text, ccp.bcrypt) from public;

comment on function account.change_password(uuid, uuid, inet, boolean, text, ccp.bcrypt) is
'A user changes the password; refusals are returned and leave their trace.';
