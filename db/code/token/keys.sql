-- The keys that sign and verify login tokens, the one that signs last first; makes the first one. signs_in_ms: in how many
-- milliseconds it begins to sign, 0 for one that does, null for one that does no more. This is the only way to them: the
-- table's secret column is granted to no role, and this function to the API alone, which keeps them in memory. Two callers
-- at once agree: one_key_signs lets one insert win. token.rotate() keeps their number below what a program holds.
create or replace function token.keys()
returns table (kid text, secret text, signs_in_ms integer)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    if not exists (select from ccp.signing_keys as k where k.retired_at is null) then
        perform token.make_key(clock.now());
    end if;
    return query
    select
        k.kid::text,
        encode(k.secret, 'hex'),
        case
            when k.retired_at is null or k.retired_at > clock.now()
                then greatest(0, ceil(extract(epoch from k.signs_at - clock.now()) * 1000))::integer
        end
    from ccp.signing_keys as k
    where k.expires_at is null
        or k.expires_at > clock.now()
    order by k.signs_at desc, k.retired_at desc nulls first
    limit 16;
end
$$;

revoke all on function token.keys() from public;
grant execute on function token.keys() to ccp_api;

comment on function token.keys() is
'The keys that sign and verify login tokens; makes the first one. For the API only.';
