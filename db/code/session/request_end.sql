-- A person asks for the end of a session that is open: false when it has ended or was asked to end before, whose reason
-- and asker stay. The ssh proxy is rung. It runs with its caller's rights, so a user route reaches that user's own only.
create or replace function session.request_end(p_session_id uuid, p_reason text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update ccp.sessions
    set
        end_requested_at = clock.now(),
        end_requested_by = (select a.who from account.actor() as a),
        end_reason = p_reason
    where id = p_session_id
        and ended_at is null
        and end_requested_at is null;
    if found then
        perform pg_notify('ccp_sshproxy', '');
        return true;
    end if;
    return false;
end
$$;

revoke all on function session.request_end(uuid, text) from public;
grant execute on function session.request_end(uuid, text) to ccp_as_user;

comment on function session.request_end(uuid, text) is
'A person asks for the end of a session; whether that was new.';
