-- Refuses what a host's user may not have now. Whoever asks is not that user, who would not have come in: the refusal names the
-- user, and is none of the caller's own account.
create or replace function host.require_active_user(p_host ccp.hosts)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user record;
begin
    select
        account.state(u.disabled_at, u.expires_at) as state,
        format('User %s, whose host %s is, is ', u.username, p_host.short_id) as who,
        jsonb_build_object('user_id', u.id) as detail
    into v_user
    from ccp.users as u
    where u.id = p_host.user_id;
    case v_user.state
        when 'active' then
            return;
        when 'disabled' then
            perform access.refuse('CP409', 'user_disabled', v_user.who || 'disabled.', v_user.detail, 'enable that user first');
        when 'expired' then
            perform access.refuse('CP409', 'user_expired', v_user.who || 'expired.', v_user.detail, 'set a later expiry first');
    end case;
end
$$;

revoke all on function host.require_active_user(ccp.hosts) from public;

comment on function host.require_active_user(ccp.hosts) is
'Refuses what a host''s disabled or expired user may not have now.';
