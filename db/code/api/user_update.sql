-- PATCH /v1/admin/users/{id}: status, role, expiry, idle_stop_minutes; see account.edit(). An admin cannot disable or demote
-- oneself. The caller is looked at again when the rows are locked: of two admins who disable each other one comes second, and
-- is not an admin any more.
create or replace function api.user_update(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_status ccp.activation default null,
    p_role ccp.role default null,
    p_expires_at timestamptz default '-infinity',
    p_idle_stop_minutes ccp.idle_minutes default null,
    p_nulls text[] default '{}',
    p_if_match text default null
)
returns api.user
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
begin
    perform account.lock_with_admins(p_id);
    perform account.enter(p_login_id, p_generation, 'admin');
    if p_id = v_admin_id
        and (p_status = 'disabled' or p_role = 'user' or not account.is_active(null, nullif(p_expires_at, '-infinity')))
    then
        perform access.refuse('CP409', 'own_account', 'You cannot disable, demote or expire yourself.');
    end if;
    perform account.edit(
        p_id, p_status, p_role, p_expires_at, p_if_match,
        case when 'idle_stop_minutes' = any (p_nulls) then null else coalesce(p_idle_stop_minutes, -1) end
    );
    return api.user_get(p_login_id, p_generation, p_id);
end
$$;

revoke all on function api.user_update(
    uuid, integer, uuid, ccp.activation, ccp.role, timestamptz, ccp.idle_minutes, text[], text
) from public;
grant execute on function api.user_update(
    uuid, integer, uuid, ccp.activation, ccp.role, timestamptz, ccp.idle_minutes, text[], text
) to ccp_api;

comment on function api.user_update(
    uuid, integer, uuid, ccp.activation, ccp.role, timestamptz, ccp.idle_minutes, text[], text
) is
'PATCH /v1/admin/users/{id}: status, role, expiry, idle_stop_minutes.';
