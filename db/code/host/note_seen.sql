-- Stores what an agent saw of a host, unless something newer is stored: then false. Newer is what a later process saw, or the
-- same one later; the times of two clocks decide nothing. The caller holds the host's row.
create or replace function host.note_seen(
    p_host_id uuid,
    p_process_id bigint,
    p_sequence bigint,
    p_state text,
    p_code text,
    p_message text,
    p_at timestamptz
)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ccp.observations as o (host_id, process_id, sequence, state, code, message, observed_at)
    values (p_host_id, p_process_id, p_sequence, p_state, p_code, left(p_message, 2000), least(p_at, clock.now()))
    on conflict (host_id) do update set
        process_id = excluded.process_id,
        sequence = excluded.sequence,
        state = excluded.state,
        code = excluded.code,
        message = excluded.message,
        observed_at = excluded.observed_at
    where (excluded.process_id, excluded.sequence) > (o.process_id, o.sequence);
    return found;
end
$$;

revoke all on function host.note_seen(uuid, bigint, bigint, text, text, text, timestamptz) from public;

comment on function host.note_seen(uuid, bigint, bigint, text, text, text, timestamptz) is
'Stores what an agent saw of a host; false: something newer is stored.';
