-- After how many minutes without anybody a host is stopped: its own word, else its user's, else the setting's; null: never.
create or replace function host.idle_minutes(p_of_host integer, p_of_user integer, p_of_setting integer)
returns integer
language sql
immutable
return coalesce(p_of_host, p_of_user, p_of_setting);

revoke all on function host.idle_minutes(integer, integer, integer) from public;

comment on function host.idle_minutes(integer, integer, integer) is
'After how many minutes without anybody a host is stopped; null: never.';
