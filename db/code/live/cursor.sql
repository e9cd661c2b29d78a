-- Where a live stream is: a snapshot, of this cluster, database and timeline, base64url. All that is visible in the snapshot
-- has been told. Transaction numbers mean something only there, and only once the WAL up to it is on the disk: live.flush().
create or replace function live.cursor(p_snapshot pg_snapshot)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select translate(
        encode(convert_to(live.place() || ' ' || p_snapshot::text, 'UTF8'), 'base64'), '+/=' || chr(10), '-_'
    )
$$;

revoke all on function live.cursor(pg_snapshot) from public;

comment on function live.cursor(pg_snapshot) is
'Where a live stream is, as an opaque text.';
