-- How long a token lives. The one place of this number.
create or replace function token.life()
returns interval
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select interval '1 hour'
$$;

revoke all on function token.life() from public;

comment on function token.life() is
'How long a token lives.';
