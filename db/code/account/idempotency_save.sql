-- Ends a request with an Idempotency-Key: notes its HTTP status and the ids of what it made, never a secret. Without
-- a key it does nothing. Keys are those of the user who entered.
create or replace function account.idempotency_save(p_key text, p_status integer, p_ids jsonb)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update ccp.idempotency_keys
    set
        status = p_status,
        ids = p_ids
    where user_id = nullif(current_setting('ccp.user_id', true), '')::uuid
        and key = p_key
$$;

revoke all on function account.idempotency_save(text, integer, jsonb) from public;
grant execute on function account.idempotency_save(text, integer, jsonb) to ccp_as_user;

comment on function account.idempotency_save(text, integer, jsonb) is
'Ends a request with an Idempotency-Key: notes what it made.';
