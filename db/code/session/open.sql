-- The agent is asked to connect into a host for a session: go, if session, user and host are as they must be now.
create or replace function session.open(p_process_id bigint, p_session_id uuid, p_port integer)
returns table (verdict text, host_id uuid, sentence text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_process ccp.processes;
    v_session record;
begin
    v_process := process.require(p_process_id);
    select
        s.id, s.host_id, h.status, account.state(u.disabled_at, u.expires_at) as user_state
    into v_session
    from ccp.sessions as s
    join ccp.hosts as h on h.id = s.host_id
    join ccp.users as u on u.id = s.user_id
    where s.id = p_session_id
        and s.ended_at is null
        and s.end_requested_at is null
        and h.node_id = v_process.node_id;
    if not found then
        return query select 'refused', null::uuid, 'This session has ended.';
    elsif v_session.user_state <> 'active' then
        return query select 'refused', null::uuid, session.sentence(v_session.user_state);
    elsif v_session.status <> 'running' then
        return query select 'refused', null::uuid, format('This host is %s.', v_session.status);
    elsif p_port not between 1 and 65535 then
        return query select 'refused', null::uuid, 'This port is not valid.';
    else
        update ccp.sessions as s
        set opened_at = coalesce(s.opened_at, clock.now())
        where s.id = p_session_id;
        return query select 'go', v_session.host_id, null::text;
    end if;
end
$$;

revoke all on function session.open(bigint, uuid, integer) from public;
grant execute on function session.open(bigint, uuid, integer) to ccp_agent;

comment on function session.open(bigint, uuid, integer) is
'The agent is asked to connect into a host for a session: go or refused.';
