-- Where transaction numbers are given out: the format of cursors, the cluster, the database, the timeline of its WAL.
create or replace function live.place()
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select concat_ws(
        ' ', '1', c.system_identifier, d.oid, left(pg_walfile_name(pg_current_wal_lsn()), 8)
    )
    from pg_control_system() as c
    cross join pg_database as d
    where d.datname = current_database()
$$;

revoke all on function live.place() from public;

comment on function live.place() is
'The cluster, database and timeline in which a cursor of a live stream means something.';
