-- The agent asked a host's sshd: null, it answered; else why it did not. Says nothing of hosts that are not meant to run,
-- and of other nodes'.
create or replace function host.observe_ssh(p_process_id bigint, p_host_id uuid, p_message text, p_at timestamptz)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_refusal text := host.lock_for(p_process_id, p_host_id);
    v_host ccp.hosts;
begin
    if v_refusal is not null then
        return v_refusal;
    end if;
    select h.* into v_host from ccp.hosts as h where h.id = p_host_id;
    if v_host.status <> 'running' and p_message is not null then
        return 'not_running';
    end if;
    perform host.ssh_fault(v_host, 'port', p_message, p_at);
    return 'ok';
end
$$;

revoke all on function host.observe_ssh(bigint, uuid, text, timestamptz) from public;
grant execute on function host.observe_ssh(bigint, uuid, text, timestamptz) to ccp_agent;

comment on function host.observe_ssh(bigint, uuid, text, timestamptz) is
'The agent says why a host''s sshd does not answer, or (null) that it does: ok, gone, not_yours or not_running.';
