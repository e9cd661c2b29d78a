-- Up to when the audit log has all its events: an event has the time at which its transaction began, and appears when that
-- commits. So the log is whole up to the begin of the oldest transaction that is open, whether or not it will write an event.
-- One that begins now may be shown a moment after it has taken its time: hence the second.
create or replace function event.settled_until()
returns timestamptz
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select least(min(a.xact_start), now()) - interval '1 second'
    from pg_stat_activity as a
    where a.datname = current_database()
        and a.pid <> pg_backend_pid()
        and a.backend_type <> 'autovacuum worker'
$$;

revoke all on function event.settled_until() from public;

comment on function event.settled_until() is
'Up to when the audit log has all its events.';
