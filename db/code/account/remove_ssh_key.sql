-- An administrator removes a public key of a user. Sessions that came in with it live on.
create or replace function account.remove_ssh_key(p_user_id uuid, p_key_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text;
    v_username text := (select u.username from ccp.users as u where u.id = p_user_id);
begin
    delete from ccp.ssh_keys as k
    where k.id = p_key_id
        and k.user_id = p_user_id
    returning k.name into v_name;
    if not found then
        perform api.not_found('ssh_key_not_found', 'key');
    end if;
    perform event.write(
        'key.removed',
        format('the public key named %s of %s was removed', v_name, v_username), p_user_id, null,
        null, jsonb_build_object('key_id', p_key_id)
    );
end
$$;

revoke all on function account.remove_ssh_key(uuid, uuid) from public;
grant execute on function account.remove_ssh_key(uuid, uuid) to ccp_admin;

comment on function account.remove_ssh_key(uuid, uuid) is
'An administrator removes a public key of a user.';
