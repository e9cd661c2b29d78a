-- Refuses what would leave no active administrator, now or when the others have expired: p_user is to be one only until
-- p_until (null: for ever; -infinity: no longer). The caller holds account.lock_with_admins(); who became an administrator
-- since is locked here, so that nobody who is counted on can be sent away meanwhile.
create or replace function account.require_admin(p_user ccp.users, p_until timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until timestamptz := coalesce(p_user.expires_at, 'infinity');
    v_others timestamptz;
begin
    if p_user.role <> 'admin'
        or coalesce(p_until, 'infinity') >= v_until
        or not account.is_active(p_user.disabled_at, p_user.expires_at)
    then
        return;
    end if;
    select max(o.until)
    into v_others
    from (
        select coalesce(u.expires_at, 'infinity') as until
        from ccp.users as u
        where u.role = 'admin'
            and u.id <> p_user.id
            and account.is_active(u.disabled_at, u.expires_at)
        order by u.id
        for no key update
    ) as o;
    if v_others is null then
        perform access.refuse(
            'CP409', 'last_admin', format('User %s is the last active administrator.', p_user.username), '{}',
            'make another administrator first'
        );
    elsif v_others < v_until then
        perform access.refuse(
            'CP409', 'last_admin',
            format('The other administrators expire before %s does: then there would be none.', p_user.username), '{}',
            'make another administrator first, or let one of the others expire later'
        );
    end if;
end
$$;

revoke all on function account.require_admin(ccp.users, timestamptz) from public;

comment on function account.require_admin(ccp.users, timestamptz) is
'Refuses what would leave no active administrator, now or when the others have expired.';
