-- An administrator gives a user another password, by its bcrypt: all logins of that user end, sessions in hosts do not.
-- Returns how many logins.
create or replace function account.rotate_password(p_user_id uuid, p_password_hash ccp.bcrypt)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users := account.lock(p_user_id);
    v_logins integer;
begin
    update ccp.users
    set
        password_hash = p_password_hash,
        password_changed_at = clock.now()
    where id = p_user_id;
    v_logins := account.end_logins(p_user_id, 'password');
    perform event.write(
        'admin.user.password_rotated', format('user %s has got another password', v_user.username), p_user_id,
        null, null, jsonb_build_object('logins', v_logins)
    );
    return v_logins;
end
$$;

revoke all on function account.rotate_password(uuid, ccp.bcrypt) from public;
grant execute on function account.rotate_password(uuid, ccp.bcrypt) to ccp_admin;

comment on function account.rotate_password(uuid, ccp.bcrypt) is
'An administrator gives a user another password, by its bcrypt; returns how many logins ended.';
