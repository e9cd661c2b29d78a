-- An administrator ends all that a user has open: sessions in hosts, which hear who ended them, and logins.
create or replace function account.end_sessions(
    p_user_id uuid,
    out sessions integer,
    out logins integer
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users := account.lock(p_user_id);
begin
    sessions := session.end_for_user(p_user_id, 'admin', (select a.who from account.actor() as a));
    logins := account.end_logins(p_user_id, 'admin');
    perform event.write(
        'admin.user.sessions_ended',
        format('%s sessions and %s logins of user %s were ended', sessions, logins, v_user.username), p_user_id, null, null,
        jsonb_build_object('sessions', sessions, 'logins', logins)
    );
end
$$;

revoke all on function account.end_sessions(uuid) from public;
grant execute on function account.end_sessions(uuid) to ccp_admin;

comment on function account.end_sessions(uuid) is
'An administrator ends all sessions and logins of a user; says how many.';
