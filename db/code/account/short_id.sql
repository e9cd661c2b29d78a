-- A short public id: eight letters and digits that are not mistaken for each other, 39 random bits. Unique constraints
-- catch the rest.
create or replace function account.short_id()
returns text
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(substr('abcdefghjkmnpqrstuvwxyz23456789', 1 + get_byte(d.digest, i.i) % 31, 1), '')
    from (select sha256(uuid_send(gen_random_uuid())) as digest) as d
    cross join generate_series(0, 7) as i (i)
$$;

revoke all on function account.short_id() from public;

comment on function account.short_id() is
'A short public id: eight letters and digits that are not mistaken for each other.';
