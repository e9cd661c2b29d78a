-- A time as people read it in a terminal, to the minute.
create or replace function host.motd_time(p_at timestamptz)
returns text
language sql
immutable
return to_char(p_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC';

revoke all on function host.motd_time(timestamptz) from public;

comment on function host.motd_time(timestamptz) is
'A time as a login is shown it.';
