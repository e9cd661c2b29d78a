-- The agent has connected: true, if the session may still have the socket. A stop or an expiry that came in between
-- has found no socket to destroy, so this is the last word.
create or replace function session.confirm(p_process_id bigint, p_session_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.require(p_process_id);
    update ccp.sessions as s
    set confirmed_at = coalesce(s.confirmed_at, clock.now())
    from ccp.hosts as h
    where s.id = p_session_id
        and s.opened_at is not null
        and s.ended_at is null
        and s.end_requested_at is null
        and h.id = s.host_id
        and h.status = 'running';
    return found;
end
$$;

revoke all on function session.confirm(bigint, uuid) from public;
grant execute on function session.confirm(bigint, uuid) to ccp_agent;

comment on function session.confirm(bigint, uuid) is
'The agent has connected: whether the session may still have the socket.';
