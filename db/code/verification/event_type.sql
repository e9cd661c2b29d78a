-- The event that says what a failed check found; null: none does, the task's failure is told instead. Codes of one type are one
-- failure: a tunnel that is lost, and then cannot be made again, is told once.
create or replace function verification.event_type(p_error_code text)
returns text
language sql
immutable
return case
    when p_error_code = 'exit_mismatch' then 'egress.mismatch'
    when p_error_code in ('leak', 'inventory') then 'egress.leak_blocked'
    when p_error_code like 'tunnel%' or p_error_code = 'proxy_unreachable' then 'tunnel.lost'
end;

revoke all on function verification.event_type(text) from public;

comment on function verification.event_type(text) is
'The event that says what a failed check found, or null.';
