-- DELETE /v1/admin/users/{id}/sessions: ends all sessions and logins of a user.
create or replace function api.user_end_sessions(p_login_id uuid, p_generation integer, p_id uuid)
returns api.ended
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ended api.ended;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select e.sessions, e.logins
    into v_ended
    from account.end_sessions(p_id) as e;
    return v_ended;
end
$$;

revoke all on function api.user_end_sessions(uuid, integer, uuid) from public;
grant execute on function api.user_end_sessions(uuid, integer, uuid) to ccp_api;

comment on function api.user_end_sessions(uuid, integer, uuid) is
'DELETE /v1/admin/users/{id}/sessions.';
