-- PATCH /v1/admin/users/{id}: status, role, expiry; what is absent stays (-infinity stands for an absent expires_at,
-- for null means never). The row is locked before If-Match is compared, so two edits of one version cannot both win. An
-- admin cannot disable or demote oneself: no one might be left to undo it. For the same reason the admin's own row is
-- locked too, and looked at again: of two admins who disable each other one comes second, and is not an admin any more.
create or replace function api.user_update(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_status ccp.activation default null,
    p_role ccp.role default null,
    p_expires_at timestamptz default '-infinity',
    p_if_match text default null
)
returns api.user
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_before ccp.users;
    v_after ccp.users;
begin
    perform
    from ccp.users as u
    where u.id in (p_id, v_admin_id)
    order by u.id
    for no key update;
    perform account.enter(p_login_id, p_generation, 'admin');
    v_before := account.lock(p_id);
    perform account.require_version(p_if_match, v_before.version);
    if p_id = v_admin_id
        and (p_status = 'disabled' or p_role = 'user' or not account.is_active(null, nullif(p_expires_at, '-infinity')))
    then
        perform access.refuse('CP409', 'own_account', 'You cannot disable, demote or expire yourself.');
    end if;
    update ccp.users as u
    set
        disabled_at = case p_status
            when 'disabled' then coalesce(u.disabled_at, clock.now())
            when 'active' then null
            else u.disabled_at
        end,
        role = coalesce(p_role, u.role),
        expires_at = case when p_expires_at = '-infinity' then u.expires_at else p_expires_at end
    where u.id = p_id
        and (
            (p_status = 'disabled') is distinct from (u.disabled_at is not null) and p_status is not null
            or coalesce(p_role, u.role) <> u.role
            or (p_expires_at is distinct from '-infinity' and p_expires_at is distinct from u.expires_at)
        )
    returning * into v_after;
    if found then
        perform event.write(
            'info', 'admin.user.updated', format('user %s was changed', v_before.username), p_id, null, null,
            jsonb_strip_nulls(jsonb_build_object('status', p_status, 'role', p_role))
            || case when p_expires_at = '-infinity' then '{}' else jsonb_build_object('expires_at', p_expires_at) end
        );
    end if;
    return api.user_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.user_update(uuid, integer, uuid, ccp.activation, ccp.role, timestamptz, text) from public;
grant execute on function api.user_update(uuid, integer, uuid, ccp.activation, ccp.role, timestamptz, text) to ccp_api;

comment on function api.user_update(uuid, integer, uuid, ccp.activation, ccp.role, timestamptz, text) is
'PATCH /v1/admin/users/{id}: status, role, expiry.';
