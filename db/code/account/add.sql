-- An administrator makes a user, by the password's bcrypt; returns the id. Two requests for one name: the second is refused.
create or replace function account.add(
    p_username ccp.username,
    p_password_hash ccp.bcrypt,
    p_role ccp.role default 'user',
    p_expires_at timestamptz default null
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    insert into ccp.users (username, short_id, role, password_hash, password_changed_at, expires_at)
    values (p_username, account.short_id(), p_role, p_password_hash, clock.now(), p_expires_at)
    on conflict (username) do nothing
    returning id into v_id;
    if v_id is null then
        perform account.refuse_name(p_username);
    end if;
    perform event.write('admin.user.created', format('user %s was made', p_username), v_id);
    return v_id;
end
$$;

revoke all on function account.add(ccp.username, ccp.bcrypt, ccp.role, timestamptz) from public;
grant execute on function account.add(ccp.username, ccp.bcrypt, ccp.role, timestamptz) to ccp_admin;

comment on function account.add(ccp.username, ccp.bcrypt, ccp.role, timestamptz) is
'An administrator makes a user, by the password''s bcrypt; returns the id.';
