-- What became of a row that was looked up by its id.
create or replace function live.action(p_found anyelement)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when p_found is null then 'delete' else 'upsert' end
$$;

revoke all on function live.action(anyelement) from public;
grant execute on function live.action(anyelement) to ccp_as_user;

comment on function live.action(anyelement) is
'What became of a row: upsert when it was found, or else delete.';
