-- The keys that sign and verify login tokens; makes the first one. This is the only way to them: the table's secret
-- column is granted to no role, and this function to the API alone, which keeps them in memory. Two callers at once
-- agree: one_key_signs lets one insert win.
create or replace function token.keys()
returns table (kid text, secret text, signs boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    if not exists (select from ccp.signing_keys as k where k.retired_at is null) then
        -- Three random UUIDs carry 366 bits of the server's strong random numbers.
        insert into ccp.signing_keys (kid, secret)
        values (
            encode(substr(sha256(uuid_send(gen_random_uuid())), 1, 8), 'hex'),
            sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
        )
        on conflict ((true)) where retired_at is null do nothing;
    end if;
    return query
    select k.kid, encode(k.secret, 'hex'), k.retired_at is null
    from ccp.signing_keys as k
    where k.expires_at is null
        or k.expires_at > clock.now()
    order by k.created_at desc
    limit 16;
end
$$;

revoke all on function token.keys() from public;
grant execute on function token.keys() to ccp_api;

comment on function token.keys() is
'The keys that sign and verify login tokens; makes the first one. For the API only.';
