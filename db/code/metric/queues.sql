-- How many tasks wait and run in each queue, and for how long the one has waited that may have been claimed longest ago; also of
-- queues that are empty, and of those whose program is gone.
create or replace function metric.queues()
returns table (queue text, status text, tasks bigint, age_s double precision)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with live as materialized (
        select t.queue, t.status::text as status, t.run_at
        from ccp.task_rows as t
        where t.status = 'queued'
        union all
        select t.queue, t.status, null
        from ccp.task_rows as t
        where t.status = 'running'
    )
    select
        q.queue,
        s.status,
        count(l.queue),
        extract(epoch from greatest(clock.now() - coalesce(min(l.run_at), clock.now()), interval '0'))
    from (
        select p.queue from ccp.processes as p where p.ended_at is null and p.program in ('ccp-agent', 'ccp-worker')
        union
        select l.queue from live as l
    ) as q
    cross join (values ('queued'), ('running')) as s (status)
    left join live as l on l.queue = q.queue and l.status = s.status
    group by q.queue, s.status
$$;

revoke all on function metric.queues() from public;

comment on function metric.queues() is
'Tasks that wait and run in each queue, and since when the oldest may have been claimed.';
