-- Whether what was last seen of a host contradicts its status. Null, nothing seen, and unknown contradict nothing; of other
-- statuses its tasks and their reports decide.
create or replace function host.is_drift(p_status text, p_seen text)
returns boolean
language sql
immutable
return coalesce(case p_status
    when 'running' then p_seen in ('closed', 'stopped', 'absent')
    when 'stopped' then p_seen in ('running', 'closed')
end, false);

revoke all on function host.is_drift(text, text) from public;

comment on function host.is_drift(text, text) is
'Whether what was last seen of a host contradicts its status.';
