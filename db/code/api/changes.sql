-- What a PATCH changes: the members that are given, and those that are given as null.
create or replace function api.changes(p_given jsonb, p_nulls text[])
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_strip_nulls(p_given) || coalesce((select jsonb_object_agg(n, null) from unnest(p_nulls) as n), '{}')
$$;

revoke all on function api.changes(jsonb, text[]) from public;
grant execute on function api.changes(jsonb, text[]) to ccp_as_user;

comment on function api.changes(jsonb, text[]) is
'What a PATCH changes: the members that are given, and those that are given as null.';
