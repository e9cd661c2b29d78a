-- GET /metrics: what there is to measure, as Prometheus reads it (exposition format 0.0.4), each metric's series in one group.
create or replace function api.metrics()
returns api.exposition
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select row(string_agg(
        format(e'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n%4$s\n', m.name, m.help, m.type, l.lines), '' order by m.name
    ))::api.exposition
    from ccp.metrics as m
    join (
        select s.name, string_agg(s.lines, e'\n' order by s.lines) as lines
        from metric.lines() as s
        group by s.name
    ) as l on l.name = m.name
$$;

revoke all on function api.metrics() from public;
grant execute on function api.metrics() to ccp_api;

comment on function api.metrics() is
'GET /metrics: what there is to measure, as Prometheus reads it.';
