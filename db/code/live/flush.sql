-- Brings the WAL up to now to the disk, so that a cursor that was made before may be handed out: a transaction that has ended
-- and is not on the disk yet, such as one that was rolled back, leaves its number to another one after a crash, and a cursor
-- that knows it as told would hide that one. The message has no content; its commit is what waits for the disk.
create or replace function live.flush()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn() then
        perform set_config('synchronous_commit', 'local', true);
        perform pg_logical_emit_message(true, 'ccp', '');
    end if;
end
$$;

revoke all on function live.flush() from public;
grant execute on function live.flush() to ccp_api;

comment on function live.flush() is
'Brings the WAL to the disk, so that a cursor may be handed out.';
