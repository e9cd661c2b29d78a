-- Whether a user may do anything now: neither disabled nor expired. The one place of this rule. It is inlined, and its
-- negation can use the indexes on disabled_at and expires_at.
create or replace function account.is_active(p_disabled_at timestamptz, p_expires_at timestamptz)
returns boolean
language sql
stable
return p_disabled_at is null and (p_expires_at is null or p_expires_at > clock.now());

revoke all on function account.is_active(timestamptz, timestamptz) from public;
grant execute on function account.is_active(timestamptz, timestamptz) to ccp_as_user, ccp_automation, ccp_dba;

comment on function account.is_active(timestamptz, timestamptz) is
'Whether a user is neither disabled nor expired, as of now.';
