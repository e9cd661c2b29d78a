-- What does not move although it should. Of each task that is stuck its sentence is looked up, not of all that there are: `limit`
-- keeps the planner from joining them first.
create or replace view ccp.stuck with (security_barrier) as
select
    'task' as what,
    t.id::text as id,
    concat_ws(' ', t.kind, s.host) as name,
    t.run_at as since,
    s.why
from ccp.task_rows as t
cross join lateral (select c.host, c.why from ccp.task_status as c where c.id = t.id limit 1) as s
where t.status = 'queued'
    and t.run_at < clock.now() - interval '30 seconds'
    and not exists (select from ccp.task_rows as r where r.host_id = t.host_id and r.status = 'running')
union all
select
    'task',
    t.id::text,
    concat_ws(' ', t.kind, s.host),
    t.deadline_at,
    format('it should have ended %s ago: %s', clock.span(clock.now() - t.deadline_at), s.why)
from ccp.task_rows as t
cross join lateral (select c.host, c.why from ccp.task_status as c where c.id = t.id limit 1) as s
where t.status = 'running'
    and t.deadline_at < clock.now() - interval '5 seconds'
union all
select
    'host',
    h.id::text,
    h.short_id,
    h.status_changed_at,
    format(
        'host %s has been %s for %s and is wanted %s: %s', h.short_id, h.status,
        clock.span(clock.now() - h.status_changed_at), w.wanted,
        case
            when w.wanted = 'running' and b.id is null then 'bind an exit to it'
            when not k.time_passes then 'no program ticks; start ccp-worker'
            else coalesce('the last try failed: ' || h.error_message, 'the tick does not get to it; the server''s log tells why')
        end
    )
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
left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
cross join (
    select coalesce(max(c.ticked_at) > clock.now() - max(c.gap_limit), false) as time_passes
    from ccp.ticks as c
) as k
where h.status not in ('deleted', w.wanted)
    and h.status_changed_at < clock.now() - interval '30 seconds'
    and (h.retry_at is null or h.retry_at < clock.now() - interval '30 seconds')
    and not exists (select from ccp.task_rows as t where t.host_id = h.id and t.status in ('queued', 'running'))
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
from ccp.sessions as s
join ccp.users as u on u.id = s.user_id
join ccp.processes as p on p.id = s.process_id
where s.ended_at is null
    and s.end_requested_at < clock.now() - interval '10 seconds';
comment on view ccp.stuck is 'What should have moved on and has not. Empty is good.';
comment on column ccp.stuck.what is 'What sort of thing.';
comment on column ccp.stuck.id is 'Identity.';
comment on column ccp.stuck.name is 'Its name.';
comment on column ccp.stuck.since is 'Since when.';
comment on column ccp.stuck.why is 'The answer, as a sentence.';
grant select on ccp.stuck to ccp_automation, ccp_dba;
