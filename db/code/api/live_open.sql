-- GET /v1/admin/sse: whether this login may listen. What it hears is read by live.read().
create or replace function api.live_open(p_login_id uuid, p_generation integer)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
end
$$;

revoke all on function api.live_open(uuid, integer) from public;
grant execute on function api.live_open(uuid, integer) to ccp_api;

comment on function api.live_open(uuid, integer) is
'GET /v1/admin/sse: whether this login may listen.';
