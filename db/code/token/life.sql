-- How long a token lives: one that its holder renews by itself an hour; a browser's ten minutes, as what renews it is out of
-- reach of the page's scripts. The one place of these numbers.
create or replace function token.life(p_by_cookie boolean)
returns interval
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when p_by_cookie then interval '10 minutes' else interval '1 hour' end
$$;

revoke all on function token.life(boolean) from public;

comment on function token.life(boolean) is
'How long a token lives: a browser''s, or another''s.';
