-- An administrator ends a session, whoever's it is. One that has ended, or ends already, stays as it is and is not
-- written down again.
create or replace function session.stop(p_session_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session api.session;
begin
    select *
    into v_session
    from api.session as s
    where s.id = p_session_id;
    if not found then
        perform api.not_found('session_not_found', 'session');
    end if;
    if session.request_end(p_session_id, 'admin') then
        perform event.write(
            'admin.session.ended',
            format('the end of the session of %s in host %s was asked for', v_session.username, v_session.host_short_id),
            v_session.user_id, v_session.host_id, null, jsonb_build_object('session_id', p_session_id)
        );
    end if;
end
$$;

revoke all on function session.stop(uuid) from public;
grant execute on function session.stop(uuid) to ccp_admin;

comment on function session.stop(uuid) is
'An administrator ends a session.';
