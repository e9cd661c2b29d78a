-- Ends the sessions of a process that were made before a moment and are not among those it still holds. What the rules
-- asked for stays their reason.
create or replace function session.abandon(
    p_process_id bigint,
    p_held uuid[],
    p_made_before timestamptz,
    p_reason text,
    p_message text
)
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
        where process_id = p_process_id
            and ended_at is null
            and created_at < p_made_before
            and id <> all (p_held)
        returning id, user_id, host_id, end_reason
    loop
        perform event.write(
            'info', 'ssh.session.closed', p_message, v_session.user_id, v_session.host_id, null,
            jsonb_build_object('session_id', v_session.id, 'reason', v_session.end_reason)
        );
    end loop;
end
$$;

revoke all on function session.abandon(bigint, uuid[], timestamptz, text, text) from public;

comment on function session.abandon(bigint, uuid[], timestamptz, text, text) is
'Ends the sessions of a process that it does not hold.';
