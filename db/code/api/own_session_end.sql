-- DELETE /v1/user/sessions/{id}: ends one of my sessions. One that has ended, or ends already, stays as it is.
create or replace function api.own_session_end(p_login_id uuid, p_generation integer, p_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_session api.session;
begin
    select *
    into v_session
    from api.session as s
    where s.id = p_id
        and s.user_id = v_user_id;
    if not found then
        perform api.not_found('session_not_found', 'session');
    end if;
    if session.request_end(p_id, 'user') then
        perform account.write_event(
            'user.session.ended', format('the end of a session in host %s was asked for', v_session.host_short_id),
            v_session.host_id
        );
    end if;
end
$$;

alter function api.own_session_end(uuid, integer, uuid) owner to ccp_as_user;
revoke all on function api.own_session_end(uuid, integer, uuid) from public;
grant execute on function api.own_session_end(uuid, integer, uuid) to ccp_api;

comment on function api.own_session_end(uuid, integer, uuid) is
'DELETE /v1/user/sessions/{id}.';
