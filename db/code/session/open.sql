-- The agent is asked to connect into a host for a session: ok, if session, user and host are as they must be now; with
-- what a login is to be shown.
create or replace function session.open(
    p_process_id bigint,
    p_session_id uuid,
    p_port integer,
    out verdict ccp.verdict,
    out host_id uuid,
    out sentence text,
    out motd text
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_process ccp.processes;
    v_session record;
begin
    v_process := process.require(p_process_id);
    select
        s.id, s.host_id, h.short_id, h.status, account.state(u.disabled_at, u.expires_at) as user_state
    into v_session
    from ccp.sessions as s
    join ccp.hosts as h on h.id = s.host_id
    join ccp.users as u on u.id = s.user_id
    where s.id = p_session_id
        and s.ended_at is null
        and s.end_requested_at is null
        and h.node_id = v_process.node_id;
    if not found then
        verdict := 'session_ended';
        sentence := 'This session has ended.';
    elsif v_session.user_state <> 'active' then
        verdict := 'account_' || v_session.user_state;
        sentence := session.sentence(v_session.user_state);
    elsif v_session.status <> 'running' then
        verdict := 'host_not_running';
        sentence := session.host_sentence(v_session.status, v_session.short_id);
    elsif p_port not between 1 and 65535 then
        verdict := 'port_invalid';
        sentence := 'This port is not valid.';
    else
        update ccp.sessions as s
        set opened_at = coalesce(s.opened_at, clock.now())
        where s.id = p_session_id;
        verdict := 'ok';
        host_id := v_session.host_id;
        motd := host.motd(host_id);
    end if;
end
$$;

revoke all on function session.open(bigint, uuid, integer) from public;
grant execute on function session.open(bigint, uuid, integer) to ccp_agent;

comment on function session.open(bigint, uuid, integer) is
'The agent is asked to connect into a host for a session: go or refused.';
