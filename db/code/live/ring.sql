-- Trigger on changes that ring: their transaction rings ccp_event when it commits, once, however many there are. Each write
-- pays for it, so it has no search_path of its own and names all that it uses.
create or replace function live.ring()
returns trigger
language plpgsql
as $$
begin
    perform pg_catalog.pg_notify('ccp_event', '');
    return null;
end
$$;

revoke all on function live.ring() from public;

comment on function live.ring() is
'Trigger: a transaction that notes a change rings ccp_event.';
