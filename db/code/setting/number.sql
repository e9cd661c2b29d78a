-- The value of a setting as a number.
create or replace function setting.number(p_name text)
returns numeric
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select (s.value #>> '{}')::numeric
    from ccp.settings as s
    where s.name = p_name
$$;

revoke all on function setting.number(text) from public;
grant execute on function setting.number(text) to ccp_as_user;

comment on function setting.number(text) is
'The value of a setting as a number; null if it was never set.';
