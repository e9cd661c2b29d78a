-- GET /v1/admin/signing-keys: those that sign or verify, never their secrets.
create or replace function api.signing_key_list(p_login_id uuid, p_generation integer)
returns api.signing_keys
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_keys api.signing_keys;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    v_keys.signing_keys := array(
        select k
        from api.signing_key as k
        order by k.signs_at desc, k.retired_at desc nulls first
    );
    return v_keys;
end
$$;

revoke all on function api.signing_key_list(uuid, integer) from public;
grant execute on function api.signing_key_list(uuid, integer) to ccp_api;

comment on function api.signing_key_list(uuid, integer) is
'GET /v1/admin/signing-keys.';
