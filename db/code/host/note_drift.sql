-- Drift: an agent last saw a host otherwise than its status says, which is running or stopped. Makes it unavailable and is
-- true. The caller holds the host's row.
create or replace function host.note_drift(p_host ccp.hosts)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seen ccp.observations;
begin
    select o.*
    into v_seen
    from ccp.observations as o
    where o.host_id = p_host.id;
    if not host.is_drift(p_host.status, v_seen.state) then
        return false;
    end if;
    perform host.mark_unavailable(
        p_host, coalesce(v_seen.code, 'drift'), coalesce(v_seen.message, format('the agent saw it %s', v_seen.state))
    );
    return true;
end
$$;

revoke all on function host.note_drift(ccp.hosts) from public;

comment on function host.note_drift(ccp.hosts) is
'Makes a host unavailable that was last seen otherwise than its status says; whether it was.';
