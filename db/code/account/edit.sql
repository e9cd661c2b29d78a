-- An administrator changes a user's status, role, expiry or idle_stop_minutes; what is absent stays (-infinity stands for an
-- absent p_expires_at and -1 for the minutes, for null means never, or as the setting says). The row is locked before
-- p_if_match is compared, so two edits of one version cannot both win; and so are all administrators, so that one stays.
create or replace function account.edit(
    p_id uuid,
    p_status ccp.activation default null,
    p_role ccp.role default null,
    p_expires_at timestamptz default '-infinity',
    p_if_match text default null,
    p_idle_stop_minutes integer default -1
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users;
begin
    perform account.lock_with_admins(p_id);
    v_user := account.lock(p_id);
    perform account.require_version(p_if_match, v_user.version);
    perform account.require_admin(
        v_user,
        case
            when p_status = 'disabled' or p_role = 'user' then '-infinity'
            when p_expires_at = '-infinity' then v_user.expires_at
            else p_expires_at
        end
    );
    update ccp.users as u
    set
        disabled_at = case p_status
            when 'disabled' then coalesce(u.disabled_at, clock.now())
            when 'active' then null
            else u.disabled_at
        end,
        role = coalesce(p_role, u.role),
        expires_at = case when p_expires_at = '-infinity' then u.expires_at else p_expires_at end,
        idle_stop_minutes = case when p_idle_stop_minutes = -1 then u.idle_stop_minutes else p_idle_stop_minutes end
    where u.id = p_id
        and (
            (p_status = 'disabled') is distinct from (u.disabled_at is not null) and p_status is not null
            or coalesce(p_role, u.role) <> u.role
            or (p_expires_at is distinct from '-infinity' and p_expires_at is distinct from u.expires_at)
            or (p_idle_stop_minutes is distinct from -1 and p_idle_stop_minutes is distinct from u.idle_stop_minutes)
        );
    if found then
        perform event.write(
            'admin.user.updated', format('user %s was changed', v_user.username), p_id, null, null,
            jsonb_strip_nulls(jsonb_build_object('status', p_status, 'role', p_role))
            || case when p_expires_at = '-infinity' then '{}' else jsonb_build_object('expires_at', p_expires_at) end
            || case when p_idle_stop_minutes = -1 then '{}' else jsonb_build_object('idle_stop_minutes', p_idle_stop_minutes) end
        );
    end if;
end
$$;

revoke all on function account.edit(uuid, ccp.activation, ccp.role, timestamptz, text, integer) from public;
grant execute on function account.edit(uuid, ccp.activation, ccp.role, timestamptz, text, integer) to ccp_admin;

comment on function account.edit(uuid, ccp.activation, ccp.role, timestamptz, text, integer) is
'An administrator changes a user''s status, role, expiry or idle_stop_minutes.';
