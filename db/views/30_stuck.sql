-- What does not move although it should: of each sort the hundred that have waited longest, and a row that says how many there
-- are besides. Of these the sentence is looked up, not of all that there are: `limit` keeps the planner from joining them first.
create or replace view ccp.stuck with (security_barrier) as
with tasks as (
    select
        t.id,
        t.since,
        t.status,
        row_number() over (order by t.since, t.id) as place
    from (
        select l.id, l.status, l.run_at as since
        from ccp.task_rows as l
        where l.status = 'queued'
            and l.run_at < clock.now() - interval '30 seconds'
            and not exists (select from ccp.task_rows as r where r.host_id = l.host_id and r.status = 'running')
        union all
        select l.id, l.status, l.deadline_at
        from ccp.task_rows as l
        where l.status = 'running'
            and l.deadline_at < clock.now() - interval '5 seconds'
    ) as t
),
hosts as (
    select
        h.id,
        h.short_id,
        h.status,
        h.status_changed_at,
        h.error_message,
        w.wanted,
        row_number() over (order by h.status_changed_at, h.short_id) as place
    from ccp.hosts as h
    join ccp.users as u on u.id = h.user_id
    join ccp.nodes as n on n.id = h.node_id
    left join ccp.observations as o on o.host_id = h.id
    cross join lateral (
        select
            host.wanted_of(
                h.desired, account.state(u.disabled_at, u.expires_at),
                host.gives_way(o.disk_excess, n.disk_short_since, n.drained_at)
            ) as wanted
    ) as w
    where h.status not in ('deleted', w.wanted)
        and h.status_changed_at < clock.now() - interval '30 seconds'
        and (h.retry_at is null or h.retry_at < clock.now() - interval '30 seconds')
        and not exists (select from ccp.task_rows as t where t.host_id = h.id and t.status in ('queued', 'running'))
),
sessions as (
    select
        s.*,
        row_number() over (order by s.end_requested_at, s.id) as place
    from ccp.sessions as s
    where s.ended_at is null
        and s.end_requested_at < clock.now() - interval '10 seconds'
)
select
    'task' as what,
    t.id::text as id,
    concat_ws(' ', s.kind, s.host) as name,
    t.since,
    case t.status
        when 'queued' then s.why
        else format('it should have ended %s ago: %s', clock.span(clock.now() - t.since), s.why)
    end as why
from tasks as t
cross join lateral (select c.kind, c.host, c.why from ccp.task_status as c where c.id = t.id limit 1) as s
where t.place <= 100
union all
select
    'host',
    h.id::text,
    h.short_id,
    h.status_changed_at,
    format(
        'host %s has been %s for %s and is wanted %s: %s', h.short_id, h.status,
        clock.span(clock.now() - h.status_changed_at), h.wanted,
        case
            when h.wanted = 'running' and not exists (
                select from ccp.bindings as b where b.host_id = h.id and b.ended_at is null
            ) then 'bind an exit to it'
            when not k.time_passes then 'no program ticks; start ccp-worker'
            else coalesce('the last try failed: ' || h.error_message, 'the tick does not get to it; the server''s log tells why')
        end
    )
from hosts as h
cross join (
    select coalesce(max(c.ticked_at) > clock.now() - max(c.gap_limit), false) as time_passes
    from ccp.ticks as c
) as k
where h.place <= 100
union all
select
    'session',
    s.id::text,
    u.username,
    s.end_requested_at,
    format(
        'a session of %s should have ended %s ago (%s); %s, which holds it, ends it when it hears of it',
        u.username, clock.span(clock.now() - s.end_requested_at), s.end_reason, p.program
    )
from sessions as s
join ccp.users as u on u.id = s.user_id
join ccp.processes as p on p.id = s.process_id
where s.place <= 100
union all
select
    m.what,
    null,
    format('%s more', count(*)),
    min(m.since),
    format('%s more do not move either, the oldest for %s', count(*), clock.span(clock.now() - min(m.since)))
from (
    select 'task' as what, t.since from tasks as t where t.place > 100
    union all
    select 'host', h.status_changed_at from hosts as h where h.place > 100
    union all
    select 'session', s.end_requested_at from sessions as s where s.place > 100
) as m
group by m.what
order by since, name;
comment on view ccp.stuck is
'What should have moved on and has not, longest first: of each sort a hundred, and how many there are besides. Empty is good.';
comment on column ccp.stuck.what is 'What sort of thing.';
comment on column ccp.stuck.id is 'Identity; null: more than one.';
comment on column ccp.stuck.name is 'Its name.';
comment on column ccp.stuck.since is 'Since when.';
comment on column ccp.stuck.why is 'The answer, as a sentence.';
grant select on ccp.stuck to ccp_automation, ccp_dba;
