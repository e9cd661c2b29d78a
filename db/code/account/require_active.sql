-- Refuses the caller, who is disabled or has expired, with CP403. Of another user's account say so with another code.
create or replace function account.require_active(p_disabled_at timestamptz, p_expires_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    case account.state(p_disabled_at, p_expires_at)
        when 'active' then
            return;
        when 'disabled' then
            perform access.refuse(
                'CP403', 'account_disabled', 'this account is disabled', '{}', 'ask an admin to enable it'
            );
        when 'expired' then
            perform access.refuse(
                'CP403', 'account_expired', 'this account has expired', jsonb_build_object('expired_at', p_expires_at),
                'ask an admin to extend it'
            );
    end case;
end
$$;

revoke all on function account.require_active(timestamptz, timestamptz) from public;

comment on function account.require_active(timestamptz, timestamptz) is
'Refuses the caller, who is disabled or has expired, with CP403.';
