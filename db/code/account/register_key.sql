-- Registers a public key of a user, at most 100. The same key again is a conflict. It runs with its caller's rights, so a
-- user route reaches that user's own only. Returns the key's id.
create or replace function account.register_key(p_user_id uuid, p_public_key ccp.ssh_public_key, p_name ccp.label)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    if (select count(*) from ccp.ssh_keys as k where k.user_id = p_user_id) >= 100 then
        perform access.refuse('CP409', 'too_many_keys', 'There are 100 keys already; delete one first.');
    end if;
    insert into ccp.ssh_keys (user_id, name, public_key, key_sha256)
    values (
        p_user_id, p_name, p_public_key, encode(sha256(decode(split_part(p_public_key, ' ', 2), 'base64')), 'hex')
    )
    on conflict (user_id, key_sha256) do nothing
    returning id into v_id;
    if v_id is null then
        perform access.refuse('CP409', 'ssh_key_exists', 'This key is registered already.');
    end if;
    return v_id;
end
$$;

revoke all on function account.register_key(uuid, ccp.ssh_public_key, ccp.label) from public;
grant execute on function account.register_key(uuid, ccp.ssh_public_key, ccp.label) to ccp_as_user;

comment on function account.register_key(uuid, ccp.ssh_public_key, ccp.label) is
'Registers a public key of a user, at most 100; returns its id.';
