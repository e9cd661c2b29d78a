-- Whether a user may do anything now, computed at each use: active, disabled or expired.
create or replace function account.state(p_disabled_at timestamptz, p_expires_at timestamptz)
returns text
language sql
stable
return case
    when p_disabled_at is not null then 'disabled'
    when p_expires_at <= clock.now() then 'expired'
    else 'active'
end;

revoke all on function account.state(timestamptz, timestamptz) from public;
grant execute on function account.state(timestamptz, timestamptz) to ccp_as_user;

comment on function account.state(timestamptz, timestamptz) is
'active, disabled or expired, as of now.';
