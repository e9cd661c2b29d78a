-- GET /metrics as Prometheus reads it: what programs counted and what the database sees, in one group a metric.
begin;
\ir ../hosts.psql
select plan(22);

create function t.bring(p_program text, p_samples jsonb) returns void language sql as $$
    select process.beat(p.id, '{}', jsonb_build_object('bounds', '[0.5, 1]'::jsonb, 'samples', p_samples))
    from ccp.processes as p
    where p.program = p_program and p.ended_at is null
$$;
-- The lines of a metric, without HELP and TYPE.
create function t.lines(p_name text) returns setof text language sql as $$
    select l.line
    from regexp_split_to_table((api.metrics()).text, e'\n') with ordinality as l (line, n)
    where l.line ~ ('^' || p_name || '[^a-z0-9]')
    order by l.n
$$;
create function t.gauges(p_name text) returns text language sql as $$
    select string_agg(s.labels::text || ' ' || s.value, ', ' order by s.labels::text) from metric.seen() as s where s.name = p_name
$$;
select node_id as node from ccp.processes where id = t.agent() \gset

select t.bring('ccp-worker', '[
    {"name": "ccp_task_ends_total", "labels": {"kind": "system.noop", "end": "succeeded"}, "value": 3},
    {"name": "ccp_task_ends_total", "labels": {"end": "failed", "kind": "a\"b\\c\nd", "user": "alice"}, "value": 1},
    {"name": "ccp_tick_duration_seconds", "labels": {}, "sum": 2.5, "buckets": [2, 0, 1]},
    {"name": "ccp_nobody_knows_total", "labels": {}, "value": 1}
]');
select set_eq(
    $$select * from t.lines('ccp_task_ends_total')$$,
    array[
        format('ccp_task_ends_total{kind="system.noop",end="succeeded",program="ccp-worker",node="%s"} 3', :node),
        format(E'ccp_task_ends_total{kind="a\\"b\\\\c\\nd",end="failed",program="ccp-worker",node="%s"} 1', :node)
    ], 'labels come in the order of the rule and no others do, and nothing in a value leaves its quotes'
);
select results_eq(
    $$select * from t.lines('ccp_tick_duration_seconds(_bucket|_sum|_count)?')$$,
    array[
        format('ccp_tick_duration_seconds_bucket{program="ccp-worker",node="%s",le="0.5"} 2', :node),
        format('ccp_tick_duration_seconds_bucket{program="ccp-worker",node="%s",le="1"} 2', :node),
        format('ccp_tick_duration_seconds_bucket{program="ccp-worker",node="%s",le="+Inf"} 3', :node),
        format('ccp_tick_duration_seconds_sum{program="ccp-worker",node="%s"} 2.5', :node),
        format('ccp_tick_duration_seconds_count{program="ccp-worker",node="%s"} 3', :node)
    ], 'each bucket of a histogram counts the smaller ones too'
);
select is_empty($$select * from t.lines('ccp_nobody_knows_total')$$, 'what has no rule is not given out');
select is(
    (
        select string_agg(l.line, ' | ')
        from regexp_split_to_table((api.metrics()).text, e'\n') as l (line)
        where l.line ~ '^# (HELP|TYPE) ccp_task_ends_total '
    ),
    '# HELP ccp_task_ends_total Tries of tasks that ended in a program, by how. | # TYPE ccp_task_ends_total counter',
    'a metric is introduced once'
);

select t.bring('ccp-worker', '[{"name": "ccp_task_ends_total", "labels": {"kind": "x", "end": "failed"}, "value": 7}]');
select results_eq(
    $$select * from t.lines('ccp_task_ends_total')$$,
    array[format('ccp_task_ends_total{kind="x",end="failed",program="ccp-worker",node="%s"} 7', :node)],
    'a beat replaces what the one before brought'
);
select process.beat(t.worker(), '{}') is not null as done \gset
select is((select count(*) from t.lines('ccp_task_ends_total')), 1::bigint, 'one that brings nothing leaves it');
select process.beat(t.worker(), '{}', '{"bounds": [1], "samples": []}') is not null as one,
    process.beat(t.worker(), '{}', '{"bounds": [2], "samples": []}') is not null as two \gset
select is((select bounds from ccp.process_samples where process_id = t.worker()), '[2]', 'the bounds of its histograms are the last beat''s');
select t.worker() as first_worker \gset
select process.register('ccp-worker', 'node1', 5, 'test') is not null as done \gset
select is_empty($$select * from t.lines('ccp_task_ends_total')$$, 'the series of a process end with it');
select is_empty($$select * from ccp.process_samples$$, 'and so does its row');
select process.beat(:first_worker, '{}', '{"bounds": [], "samples": []}') is not null as done \gset
select is_empty($$select * from ccp.process_samples$$, 'which a late beat does not bring back');

select throws_ok(
    format('select process.beat(t.worker(), ''{}'', %L)', b.samples), '23514', null, 'a program that sends ' || b.what || ' is refused'
)
from (
    values
        ('{"bounds": [], "samples": {}}', 'no list'),
        ('{"bounds": ["1"], "samples": []}', 'bounds that are texts'),
        ('{"bounds": [], "samples": [{"name": "a", "labels": {"x": 1}, "value": 1}]}', 'labels that are numbers'),
        ('{"bounds": [], "samples": [{"name": "a", "value": 1}]}', 'no labels'),
        ('{"bounds": [], "samples": [{"name": "a", "labels": {}, "value": "1"}]}', 'texts as values'),
        ('{"bounds": [], "samples": [{"name": "a", "labels": {}, "sum": 1, "buckets": [1, null]}]}', 'buckets without a number')
) as b (samples, what);

select is(
    (
        select string_agg(distinct s.name, ', ')
        from metric.seen() as s
        where not exists (select from ccp.metrics as m where m.name = s.name and m.type = 'gauge')
    ), null, 'what the database sees are gauges that have their rules'
);
select is(
    (
        select string_agg(distinct s.name, ', ')
        from metric.seen() as s
        join ccp.metrics as m on m.name = s.name
        where array(select jsonb_object_keys(s.labels)) not in (select m.labels)
            and not (array(select jsonb_object_keys(s.labels)) <@ m.labels and m.labels <@ array(select jsonb_object_keys(s.labels)))
    ), null, 'with just the labels of the rules'
);
select is(
    (select count(*) from (select s.name, s.labels from metric.seen() as s group by 1, 2 having count(*) > 1) as twice), 0::bigint,
    'and each series is there once'
);
select is(
    (
        select string_agg(m.name, ', ')
        from ccp.metrics as m
        where m.type = 'histogram' and m.name !~ '_seconds$'
    ), null, 'histograms are of seconds'
);
select is(
    (select string_agg(m.name, ', ') from ccp.metrics as m where m.labels && '{user,username,host,host_id,short_id,address,label}'),
    null, 'no label names anybody'
);
select is(
    (
        select string_agg(m.name, ', ')
        from ccp.metrics as m
        where (api.metrics()).text like '%"alice%' or (api.metrics()).text like '%abcdef%'
    ), null, 'nor does a value'
);

select * from finish();
rollback;
