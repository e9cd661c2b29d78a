-- GET /v1/user/sse: whether this login may listen. What it hears is read by api.own_live_frames().
create or replace function api.own_live_open(p_login_id uuid, p_generation integer)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'user');
end
$$;

alter function api.own_live_open(uuid, integer) owner to ccp_as_user;
revoke all on function api.own_live_open(uuid, integer) from public;
grant execute on function api.own_live_open(uuid, integer) to ccp_api;

comment on function api.own_live_open(uuid, integer) is
'GET /v1/user/sse: whether this login may listen.';
