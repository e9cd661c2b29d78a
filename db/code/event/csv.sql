-- An event and its cursor as a line of CSV (RFC 4180); every field is quoted.
create or replace function event.csv(p_event jsonb)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg('"' || replace(coalesce(p_event ->> c.name, ''), '"', '""') || '"', ',' order by c.n) || e'\r\n'
    from unnest(array[
        'id', 'time', 'level', 'type', 'message', 'actor', 'actor_role', 'actor_address', 'user_id', 'host_id', 'task_id',
        'metadata', 'cursor'
    ]) with ordinality as c (name, n)
$$;

revoke all on function event.csv(jsonb) from public;

comment on function event.csv(jsonb) is
'An event and its cursor as a line of CSV.';
