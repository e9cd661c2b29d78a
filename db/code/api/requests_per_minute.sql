-- How many requests each login may make a minute. The API holds it in memory and asks again when a setting changes.
create or replace function api.requests_per_minute()
returns integer
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select setting.number('requests_per_minute')::integer
$$;

revoke all on function api.requests_per_minute() from public;
grant execute on function api.requests_per_minute() to ccp_api;

comment on function api.requests_per_minute() is
'How many requests each login may make a minute.';
