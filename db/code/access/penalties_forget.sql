-- Removes the penalties that have passed.
create or replace function access.penalties_forget()
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    delete from ccp.penalties
    where expires_at < clock.now()
$$;

revoke all on function access.penalties_forget() from public;

comment on function access.penalties_forget() is
'Removes the penalties that have passed.';
