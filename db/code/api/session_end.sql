-- DELETE /v1/admin/sessions/{id}: ends anybody's session.
create or replace function api.session_end(p_login_id uuid, p_generation integer, p_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    perform session.stop(p_id);
end
$$;

revoke all on function api.session_end(uuid, integer, uuid) from public;
grant execute on function api.session_end(uuid, integer, uuid) to ccp_api;

comment on function api.session_end(uuid, integer, uuid) is
'DELETE /v1/admin/sessions/{id}.';
