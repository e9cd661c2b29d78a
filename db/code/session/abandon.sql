-- Ends sessions that no program holds. What the rules asked for stays their reason.
create or replace function session.abandon(p_session_ids uuid[], p_reason text, p_message text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session record;
begin
    for v_session in
        update ccp.sessions
        set
            ended_at = clock.now(),
            end_reason = coalesce(end_reason, p_reason)
        where id = any (p_session_ids)
            and ended_at is null
        returning id, user_id, host_id, end_reason
    loop
        perform event.write(
            'ssh.session.closed', p_message, v_session.user_id, v_session.host_id, null,
            jsonb_build_object('session_id', v_session.id, 'reason', v_session.end_reason)
        );
    end loop;
end
$$;

revoke all on function session.abandon(uuid[], text, text) from public;

comment on function session.abandon(uuid[], text, text) is
'Ends sessions that no program holds.';
