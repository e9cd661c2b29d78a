-- What the agent saw of a host. Older news than what is stored ('stale') and news of other nodes' hosts ('not_yours')
-- change nothing. A changed state is reconciled at once; with a live task the task's report decides instead.
create or replace function host.observe(
    p_process_id bigint,
    p_host_id uuid,
    p_sequence bigint,
    p_state text,
    p_code text,
    p_message text,
    p_at timestamptz
)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_refusal text := host.lock_for(p_process_id, p_host_id);
begin
    if v_refusal is not null then
        return v_refusal;
    end if;
    if not host.note_seen(p_host_id, p_process_id, p_sequence, p_state, p_code, p_message, p_at) then
        return 'stale';
    end if;
    perform host.reconcile(p_host_id);
    return 'ok';
end
$$;

revoke all on function host.observe(bigint, uuid, bigint, text, text, text, timestamptz) from public;
grant execute on function host.observe(bigint, uuid, bigint, text, text, text, timestamptz) to ccp_agent;

comment on function host.observe(bigint, uuid, bigint, text, text, text, timestamptz) is
'Stores what the agent saw of a host and reconciles it: ok, stale, gone or not_yours.';
