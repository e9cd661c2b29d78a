-- The value of a setting as it is now; null if it was never set.
create or replace function setting.get(p_name text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select s.value
    from ccp.settings as s
    where s.name = p_name
$$;

revoke all on function setting.get(text) from public;
grant execute on function setting.get(text) to ccp_as_user;

comment on function setting.get(text) is
'The value of a setting as JSON; null if it was never set.';
