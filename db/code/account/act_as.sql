-- Sets the actor for the rest of the transaction. Row-level security and the audit log read it.
create or replace function account.act_as(p_user_id uuid, p_username text, p_role text, p_address inet)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
        set_config('ccp.user_id', p_user_id::text, true),
        set_config('ccp.actor', p_username, true),
        set_config('ccp.actor_role', p_role, true),
        set_config('ccp.actor_address', coalesce(host(p_address), ''), true);
end
$$;

revoke all on function account.act_as(uuid, text, text, inet) from public;

comment on function account.act_as(uuid, text, text, inet) is
'Sets the actor for the rest of the transaction.';
