-- Makes a signing key that begins to sign then; null when another session has just made one. Three random UUIDs carry 366
-- bits of the server's strong random numbers.
create or replace function token.make_key(p_signs_at timestamptz)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_kid text;
begin
    insert into ccp.signing_keys (kid, secret, signs_at)
    values (
        encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 8), 'hex'),
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
        p_signs_at
    )
    on conflict ((true)) where retired_at is null do nothing
    returning kid into v_kid;
    perform pg_notify('ccp_api', '');
    return v_kid;
end
$$;

revoke all on function token.make_key(timestamptz) from public;

comment on function token.make_key(timestamptz) is
'Makes a signing key; returns its kid.';
