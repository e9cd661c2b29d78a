-- Trigger on changes: whoever writes what a list shows rings ccp_event when it commits, once for the transaction, however many
-- changes it notes.
create or replace function live.ring()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_notify('ccp_event', '');
    return null;
end
$$;

revoke all on function live.ring() from public;

comment on function live.ring() is
'Trigger: a transaction that notes a change rings ccp_event.';
