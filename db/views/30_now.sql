-- What is going on, troubles first: a hundred things of each sort, and a row that says how many there are besides. Which hosts
-- these are is decided first; only of them the sentences are made: `limit` keeps the planner from making all.
create or replace view ccp.now with (security_barrier) as
with hosts as (
    select
        c.id,
        c.ok,
        c.host,
        row_number() over (order by c.ok, c.status not in ('failed', 'unavailable'), c.host) as place
    from ccp.host_status as c
    where c.status <> 'deleted'
),
tasks as (
    select
        t.id,
        t.ok,
        t.since,
        row_number() over (order by t.ok, t.since, t.id) as place
    from (
        select
            l.id,
            case l.status when 'queued' then l.run_at else l.started_at end as since,
            case l.status
                when 'queued' then l.run_at > clock.now() - interval '30 seconds'
                else l.deadline_at > clock.now()
            end as ok
        from ccp.task_rows as l
        where l.status in ('queued', 'running')
    ) as t
),
sessions as (
    select
        s.*,
        s.end_requested_at is null as ok,
        row_number() over (order by s.end_requested_at, s.created_at, s.id) as place
    from ccp.sessions as s
    where s.ended_at is null
)
select
    r.what,
    r.name,
    r.status,
    r.why,
    r.ok
from (
    select
        1 as sort,
        row_number() over (order by w.program, w.id) as place,
        'program' as what,
        w.program as name,
        w.status,
        w.why,
        w.status = 'alive' as ok
    from ccp.workers as w
    union all
    select 2, h.place, 'host', s.host, s.status, s.why, h.ok
    from hosts as h
    cross join lateral (select c.host, c.status, c.why from ccp.host_status as c where c.id = h.id limit 1) as s
    where h.place <= 100
    union all
    select 3, t.place, 'task', concat_ws(' ', s.kind, s.host), s.status, s.why, t.ok
    from tasks as t
    cross join lateral (select c.kind, c.host, c.status, c.why from ccp.task_status as c where c.id = t.id limit 1) as s
    where t.place <= 100
    union all
    select
        4,
        s.place,
        'session',
        u.username,
        case when s.ok then 'open' else 'ending' end,
        format(
            '%s has been in host %s by %s from %s for %s%s', u.username, h.short_id, s.kind, host(s.address),
            clock.span(clock.now() - s.created_at),
            case when s.ok then '' else format(' and is being sent away (%s)', s.end_reason) end
        ),
        s.ok
    from sessions as s
    join ccp.users as u on u.id = s.user_id
    join ccp.hosts as h on h.id = s.host_id
    where s.place <= 100
    union all
    select
        m.sort,
        101,
        m.what,
        format('%s more', count(*)),
        'not shown',
        format(
            '%s more are not shown here, %s of which are not as they should be: see %s', count(*),
            count(*) filter (where not m.ok), m.source
        ),
        bool_and(m.ok)
    from (
        select 2 as sort, 'host' as what, h.place, h.ok, 'ccp.host_status' as source from hosts as h
        union all
        select 3, 'task', t.place, t.ok, 'ccp.task_status' from tasks as t
        union all
        select 4, 'session', s.place, s.ok, 'ccp.sessions' from sessions as s
    ) as m
    where m.place > 100
    group by m.sort, m.what, m.source
) as r
order by r.ok, r.sort, r.place;
comment on view ccp.now is
'What is going on, a sentence a row, troubles first; of many things of a sort a hundred, and how many there are besides.';
comment on column ccp.now.what is 'What sort of thing.';
comment on column ccp.now.name is 'Its name.';
comment on column ccp.now.status is 'What it is now.';
comment on column ccp.now.why is 'The answer, as a sentence.';
comment on column ccp.now.ok is 'Whether it is as it should be.';
grant select on ccp.now to ccp_automation, ccp_dba;
