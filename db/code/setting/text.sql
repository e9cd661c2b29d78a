-- The value of a setting as text.
create or replace function setting.text(p_name text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select s.value #>> '{}'
    from ccp.settings as s
    where s.name = p_name
$$;

revoke all on function setting.text(text) from public;
grant execute on function setting.text(text) to ccp_as_user;

comment on function setting.text(text) is
'The value of a setting as text; null if it was never set.';
