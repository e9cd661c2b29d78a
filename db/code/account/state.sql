-- The state of a user in a word, computed at each use. Views call it, so their readers may.
create or replace function account.state(p_disabled_at timestamptz, p_expires_at timestamptz)
returns text
language sql
stable
return case
    when account.is_active(p_disabled_at, p_expires_at) then 'active'
    when p_disabled_at is not null then 'disabled'
    else 'expired'
end;

revoke all on function account.state(timestamptz, timestamptz) from public;
grant execute on function account.state(timestamptz, timestamptz) to ccp_as_user, ccp_automation, ccp_dba;

comment on function account.state(timestamptz, timestamptz) is
'active, disabled or expired, as of now.';
