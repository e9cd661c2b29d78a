-- Which programs run.
create or replace view ccp.workers with (security_barrier) as
select
    p.id,
    p.program,
    n.name as node,
    p.status,
    p.pid,
    p.version,
    p.queue,
    p.beat_at,
    (select count(*) from ccp.task_rows as t where t.process_id = p.id and t.status = 'running') as running_tasks,
    (select count(*) from ccp.task_rows as t where t.queue = p.queue and t.status = 'queued') as queued_tasks,
    (select count(*) from ccp.sessions as s where s.process_id = p.id and s.ended_at is null) as sessions,
    case p.status
        when 'alive' then format(
            '%s on %s is alive: last heard of %s ago', p.program, n.name, clock.span(clock.now() - p.beat_at)
        )
        when 'silent' then format(
            '%s on %s has been silent for %s: at %s it is declared dead', p.program, n.name, clock.span(clock.now() - p.beat_at),
            clock.span(process.silence_limit())
        )
        else format(
            '%s on %s ended %s ago (%s) and nothing has taken its place', p.program, n.name,
            clock.span(clock.now() - p.ended_at),
            case p.end_reason
                when 'stopped' then 'it was stopped'
                when 'silent' then 'it was not heard of for ' || clock.span(process.silence_limit())
                when 'overdue' then 'it kept a task ' || clock.span(task.overdue_limit()) || ' past its deadline'
                else p.end_reason
            end
        )
    end as why
from (
    select distinct on (l.program, l.node_id)
        l.*,
        case
            when l.ended_at is not null then 'ended'
            when process.is_heard(l.beat_at) then 'alive'
            else 'silent'
        end as status
    from ccp.processes as l
    order by l.program, l.node_id, l.id desc
) as p
join ccp.nodes as n on n.id = p.node_id
where p.ended_at is null
    or p.ended_at > clock.now() - interval '7 days';
comment on view ccp.workers is 'The programs that run, and those that ended and have no successor.';
comment on column ccp.workers.id is 'Identity.';
comment on column ccp.workers.program is 'Which program.';
comment on column ccp.workers.node is 'The machine.';
comment on column ccp.workers.status is 'What it is now.';
comment on column ccp.workers.pid is 'Its process id.';
comment on column ccp.workers.version is 'Its version.';
comment on column ccp.workers.queue is 'The queue it serves.';
comment on column ccp.workers.beat_at is 'When it was last heard of.';
comment on column ccp.workers.running_tasks is 'Tasks it runs.';
comment on column ccp.workers.queued_tasks is 'Tasks that wait in its queue.';
comment on column ccp.workers.sessions is 'Sessions it holds.';
comment on column ccp.workers.why is 'The answer, as a sentence.';
grant select on ccp.workers to ccp_automation, ccp_dba;
