-- Whether the last proof of a host's exit is in one of these states now. A host of which nothing was seen has three nulls. It is
-- inlined into the list of hosts: for states that are known by then each condition is one that the planner can estimate.
create or replace function host.proof_is(
    p_states text[], p_failed_at timestamptz, p_proven_at timestamptz, p_proof_ends_at timestamptz
)
returns boolean
language sql
stable
return
    'failed' = any (p_states) and p_failed_at is not null
    or 'none' = any (p_states) and p_failed_at is null and p_proven_at is null
    or 'valid' = any (p_states) and p_failed_at is null and p_proof_ends_at > clock.now()
    or 'stale' = any (p_states) and p_failed_at is null and p_proof_ends_at <= clock.now();

revoke all on function host.proof_is(text[], timestamptz, timestamptz, timestamptz) from public;

comment on function host.proof_is(text[], timestamptz, timestamptz, timestamptz) is
'Whether the last proof of a host''s exit is failed, none, valid or stale now, as asked.';
