-- The first call of the routes that make a hash: whether this login may use them at all. Hashing is expensive and its
-- pool is small, so requests that will be refused do not get there. The route's own call asks again.
create or replace function api.admit(p_login_id uuid, p_generation integer, p_role text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, p_role);
end
$$;

revoke all on function api.admit(uuid, integer, text) from public;
grant execute on function api.admit(uuid, integer, text) to ccp_api;

comment on function api.admit(uuid, integer, text) is
'Whether a login may use a route of a role, asked before work that is expensive.';
