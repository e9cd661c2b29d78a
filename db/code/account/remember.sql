-- Ends a request with an Idempotency-Key: notes its HTTP status and the ids of what it made, never a secret. Without
-- a key it does nothing.
create or replace function account.remember(p_user_id uuid, p_key text, p_status integer, p_ids jsonb)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update ccp.idempotency_keys
    set
        status = p_status,
        ids = p_ids
    where user_id = p_user_id
        and key = p_key
$$;

revoke all on function account.remember(uuid, text, integer, jsonb) from public;
grant execute on function account.remember(uuid, text, integer, jsonb) to ccp_as_user;

comment on function account.remember(uuid, text, integer, jsonb) is
'Ends a request with an Idempotency-Key: notes what it made.';
