-- The first call of the routes below one of my hosts: lets the login in and refuses a host that is not its user's.
-- Returns the user's id.
create or replace function api.own_host_enter(p_login_id uuid, p_generation integer, p_host_id uuid)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
begin
    if not exists (
        select
        from ccp.hosts as h
        where h.id = p_host_id
            and h.user_id = v_user_id
            and h.deleted_at is null
    ) then
        perform api.not_found('host_not_found', 'host');
    end if;
    return v_user_id;
end
$$;

revoke all on function api.own_host_enter(uuid, integer, uuid) from public;
grant execute on function api.own_host_enter(uuid, integer, uuid) to ccp_as_user;

comment on function api.own_host_enter(uuid, integer, uuid) is
'Lets a login in to one of its own hosts; returns the user''s id.';
