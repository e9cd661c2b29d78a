-- An agent tells which hosts it has proven, when, and for how many seconds each proof keeps the wall open. Of two proofs of one
-- host the later counts. One statement for all that were proven since the last call; it touches rows that nobody waits for.
create or replace function host.note_proofs(p_process_id bigint, p_host_ids uuid[], p_at timestamptz[], p_lives_s integer[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_process ccp.processes := process.require(p_process_id);
begin
    update ccp.observations as o
    set
        proven_at = p.at,
        proof_ends_at = p.at + make_interval(secs => p.life_s),
        failed_at = case when o.failed_at > p.at then o.failed_at end
    from (
        select distinct on (i.host_id)
            i.host_id,
            least(i.at, clock.now()) as at,
            i.life_s
        from unnest(p_host_ids, p_at, p_lives_s) as i (host_id, at, life_s)
        order by i.host_id, i.at desc
    ) as p
    join ccp.hosts as h on h.id = p.host_id
    where o.host_id = p.host_id
        and h.node_id = v_process.node_id
        and p.at >= coalesce(o.proven_at, '-infinity');
end
$$;

revoke all on function host.note_proofs(bigint, uuid[], timestamptz[], integer[]) from public;
grant execute on function host.note_proofs(bigint, uuid[], timestamptz[], integer[]) to ccp_agent;

comment on function host.note_proofs(bigint, uuid[], timestamptz[], integer[]) is
'Notes which hosts an agent has proven, when, and for how long.';
