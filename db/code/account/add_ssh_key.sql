-- An administrator registers a public key for a user; returns its id. The user's row is locked, so that one who is being
-- deleted gets none.
create or replace function account.add_ssh_key(p_user_id uuid, p_public_key ccp.ssh_public_key, p_name ccp.label default 'key')
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users := account.lock(p_user_id);
    v_id uuid := account.register_key(p_user_id, p_public_key, p_name);
begin
    perform event.write(
        'key.registered', format('a public key named %s was registered for %s', p_name, v_user.username), p_user_id,
        null, null, jsonb_build_object('key_id', v_id)
    );
    return v_id;
end
$$;

revoke all on function account.add_ssh_key(uuid, ccp.ssh_public_key, ccp.label) from public;
grant execute on function account.add_ssh_key(uuid, ccp.ssh_public_key, ccp.label) to ccp_admin;

comment on function account.add_ssh_key(uuid, ccp.ssh_public_key, ccp.label) is
'An administrator registers a public key for a user; returns its id.';
