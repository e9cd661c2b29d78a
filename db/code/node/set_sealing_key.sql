-- Stores the public half of the key that opens sealed exit secrets. It is set once: another key would make every
-- secret sealed so far unreadable, so a different one is answered 'other' and changes nothing.
create or replace function node.set_sealing_key(p_process_id bigint, p_public_key text)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.require(p_process_id);
    if coalesce(p_public_key, '') !~ '^[A-Za-z0-9+/]{43}=$' then
        perform access.refuse(
            'CP422', 'invalid', 'a sealing key is 32 bytes in base64', jsonb_build_object('field', 'p_public_key'),
            'send the public half of an X25519 key'
        );
    end if;
    update ccp.settings
    set
        value = to_jsonb(p_public_key),
        updated_at = clock.now()
    where name = 'sealing_key'
        and value is null;
    if setting.text('sealing_key') = p_public_key then
        return 'ok';
    end if;
    return 'other';
end
$$;

revoke all on function node.set_sealing_key(bigint, text) from public;
grant execute on function node.set_sealing_key(bigint, text) to ccp_agent;

comment on function node.set_sealing_key(bigint, text) is
'Stores the installation''s sealing key once: ok, or other if a different one is there.';
