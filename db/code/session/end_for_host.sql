-- A host stops being one that people work in: asks for the end of its sessions, before anything inside is ended, and
-- rings who holds them, so that their terminals hear why. A reason that was given before stays. The caller holds the
-- host's row.
create or replace function session.end_for_host(p_host_id uuid, p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update ccp.sessions
    set
        end_requested_at = clock.now(),
        end_reason = p_reason
    where host_id = p_host_id
        and ended_at is null
        and end_requested_at is null;
    if found then
        perform pg_notify('ccp_sshproxy', '');
    end if;
end
$$;

revoke all on function session.end_for_host(uuid, text) from public;

comment on function session.end_for_host(uuid, text) is
'Asks for the end of a host''s sessions and rings who holds them.';
