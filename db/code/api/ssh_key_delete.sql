-- DELETE /v1/admin/users/{id}/ssh-keys/{key_id}. Sessions that came in with the key live on.
create or replace function api.ssh_key_delete(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_key_id uuid
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    perform account.remove_ssh_key(p_id, p_key_id);
end
$$;

revoke all on function api.ssh_key_delete(uuid, integer, uuid, uuid) from public;
grant execute on function api.ssh_key_delete(uuid, integer, uuid, uuid) to ccp_api;

comment on function api.ssh_key_delete(uuid, integer, uuid, uuid) is
'DELETE /v1/admin/users/{id}/ssh-keys/{key_id}.';
