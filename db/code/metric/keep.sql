-- Keeps what a program has counted since it started, as its beat brought it: one row a process, which the next beat replaces.
create or replace function metric.keep(p_process_id bigint, p_samples jsonb)
returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into ccp.process_samples as s (process_id, at, bounds, samples)
    values (p_process_id, clock.now(), p_samples -> 'bounds', p_samples -> 'samples')
    on conflict (process_id) do update
    set at = excluded.at, bounds = excluded.bounds, samples = excluded.samples
$$;

revoke all on function metric.keep(bigint, jsonb) from public;

comment on function metric.keep(bigint, jsonb) is
'Keeps what a program has counted since it started.';
