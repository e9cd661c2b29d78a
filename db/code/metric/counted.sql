-- What the programs that live have counted, a row a series. Which process of a program it was is not told: the next one goes on
-- with the same series from zero, as Prometheus expects of counters.
create or replace function metric.counted()
returns table (name text, labels jsonb, value double precision, bounds double precision[], buckets bigint[])
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        c.sample ->> 'name',
        (c.sample -> 'labels') || jsonb_build_object('program', p.program, 'node', p.node_id),
        coalesce(c.sample -> 'value', c.sample -> 'sum')::double precision,
        array(select b.bound::double precision from jsonb_array_elements(s.bounds) with ordinality as b (bound, n) order by b.n),
        array(
            select b.count::bigint
            from jsonb_array_elements(c.sample -> 'buckets') with ordinality as b (count, n)
            order by b.n
        )
    from ccp.process_samples as s
    join ccp.processes as p on p.id = s.process_id
    cross join jsonb_array_elements(s.samples) as c (sample)
    where p.ended_at is null
$$;

revoke all on function metric.counted() from public;

comment on function metric.counted() is
'What the programs that live have counted, a row a series.';
