-- The claim's plan at 100,000 waiting tasks: it reads the index in order and stops.
begin;
\ir ../hosts.psql
select plan(3);

insert into ccp.task_rows (kind, params, queue, created_by)
select 'system.noop', jsonb_build_object('label', n::text), 'ccp_worker', 'test'
from generate_series(1, 100000) as n;
analyze ccp.task_rows;

create temporary table answer (line text);
do $$
declare
    v_line text;
begin
    for v_line in execute
        'explain (analyze, buffers, costs off, timing off) '
        'select q.id from ccp.task_rows as q '
        'where q.queue = ''ccp_worker'' and q.status = ''queued'' and q.run_at <= now() '
        'and (q.host_id is null or not exists (select from ccp.task_rows as r where r.host_id = q.host_id and r.status = ''running'')) '
        'order by q.run_at limit 1 for no key update skip locked'
    loop
        insert into answer values (v_line);
    end loop;
end
$$;
select isnt_empty($$select from answer where line like '%Index Scan using tasks_to_claim%'$$, 'the claim reads its index in order');
select is_empty($$select from answer where line like '%Seq Scan on task_rows q%' or line like '%Sort%'$$, 'it neither scans nor sorts');

-- Through the function, whatever plan it has cached by then.
do $$
declare
    v_before timestamptz;
begin
    for v_round in 1..20 loop
        perform from task.claim(t.worker(), 1);
    end loop;
    v_before := clock_timestamp();
    for v_round in 1..20 loop
        perform from task.claim(t.worker(), 1);
    end loop;
    insert into answer values ('ms per claim: ' || extract(epoch from clock_timestamp() - v_before) * 1000 / 20);
end
$$;
select ok(
    (select substring(line from '[0-9.]+$')::numeric < 10 from answer where line like 'ms per claim%'),
    'a claim of one takes milliseconds, not a scan'
);

select * from finish();
rollback;
