-- Begins a request with an Idempotency-Key. Null: new, go on and call account.idempotency_save() at the end. Not null:
-- the ids that the first request made. A second request at the same time waits here until the first has committed. The
-- same key with another route or body is refused. Without a key it does nothing.
create or replace function account.idempotency_begin(p_route text, p_key text, p_request_sha256 text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_first ccp.idempotency_keys;
begin
    if p_key is null then
        return null;
    end if;
    insert into ccp.idempotency_keys (user_id, key, route, request_sha256, status)
    values (nullif(current_setting('ccp.user_id', true), '')::uuid, p_key, p_route, p_request_sha256, 200)
    on conflict (user_id, key) do nothing;
    if found then
        return null;
    end if;
    select *
    into strict v_first
    from ccp.idempotency_keys as k
    where k.user_id = nullif(current_setting('ccp.user_id', true), '')::uuid
        and k.key = p_key;
    if v_first.route <> p_route or v_first.request_sha256 <> p_request_sha256 then
        perform access.refuse(
            'CP409', 'idempotency_key_reused', 'this Idempotency-Key was used for another request', '{}',
            'use a fresh key for each request'
        );
    end if;
    return v_first.ids;
end
$$;

revoke all on function account.idempotency_begin(text, text, text) from public;
grant execute on function account.idempotency_begin(text, text, text) to ccp_as_user;

comment on function account.idempotency_begin(text, text, text) is
'Begins a request with an Idempotency-Key: null for a new one, else the ids that the first one made.';
