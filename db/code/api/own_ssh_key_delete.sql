-- DELETE /v1/user/ssh-keys/{id}. Sessions that came in with the key live on.
create or replace function api.own_ssh_key_delete(p_login_id uuid, p_generation integer, p_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_name text;
begin
    delete from ccp.ssh_keys as k
    where k.id = p_id
        and k.user_id = v_user_id
    returning k.name into v_name;
    if not found then
        perform api.not_found('ssh_key_not_found', 'key');
    end if;
    perform account.write_event('key.removed', format('the public key named %s was removed', v_name), null);
end
$$;

alter function api.own_ssh_key_delete(uuid, integer, uuid) owner to ccp_as_user;
revoke all on function api.own_ssh_key_delete(uuid, integer, uuid) from public;
grant execute on function api.own_ssh_key_delete(uuid, integer, uuid) to ccp_api;

comment on function api.own_ssh_key_delete(uuid, integer, uuid) is
'DELETE /v1/user/ssh-keys/{id}.';
