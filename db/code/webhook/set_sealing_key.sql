-- Stores the public half of the key that opens the secrets of webhooks. It is set once: another key would make every secret
-- sealed so far unreadable, so a different one is answered 'other' and changes nothing.
create or replace function webhook.set_sealing_key(p_public_key ccp.wg_key)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update ccp.settings
    set
        value = to_jsonb(p_public_key),
        updated_at = clock.now()
    where name = 'webhook_sealing_key'
        and value is null;
    if setting.text('webhook_sealing_key') = p_public_key then
        return 'ok';
    end if;
    return 'other';
end
$$;

revoke all on function webhook.set_sealing_key(ccp.wg_key) from public;
grant execute on function webhook.set_sealing_key(ccp.wg_key) to ccp_worker;

comment on function webhook.set_sealing_key(ccp.wg_key) is
'Stores the key to which secrets of webhooks are sealed once: ok, or other if a different one is there.';
