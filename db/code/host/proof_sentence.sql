-- What is true now of the last proof of a running host's exit. It is inlined into the view, so its readers may call it.
create or replace function host.proof_sentence(p_proven_at timestamptz, p_proof_ends_at timestamptz)
returns text
language sql
stable
return case
    when p_proven_at is null then 'no proof of its exit is known yet'
    when p_proof_ends_at > clock.now() then format(
        'its exit was proven %s ago, and that holds for another %s', clock.span(clock.now() - p_proven_at),
        clock.span(p_proof_ends_at - clock.now())
    )
    else format(
        'it is closed: its exit was last proven %s ago, that ended %s ago, and the next proof opens it again',
        clock.span(clock.now() - p_proven_at), clock.span(clock.now() - p_proof_ends_at)
    )
end;

revoke all on function host.proof_sentence(timestamptz, timestamptz) from public;
grant execute on function host.proof_sentence(timestamptz, timestamptz) to ccp_automation, ccp_dba;

comment on function host.proof_sentence(timestamptz, timestamptz) is
'What is true now of the last proof of a running host''s exit.';
