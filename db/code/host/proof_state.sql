-- What is true now of the last proof of a host's exit, in a word. It is inlined into the list of hosts.
create or replace function host.proof_state(p_has_failed_since boolean, p_proven_at timestamptz, p_proof_ends_at timestamptz)
returns text
language sql
stable
return case
    when p_has_failed_since then 'failed'
    when p_proven_at is null then 'none'
    when p_proof_ends_at > clock.now() then 'valid'
    else 'stale'
end;

revoke all on function host.proof_state(boolean, timestamptz, timestamptz) from public;

comment on function host.proof_state(boolean, timestamptz, timestamptz) is
'What is true now of the last proof of a host''s exit: failed, none, valid or stale.';
