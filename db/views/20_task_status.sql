-- What became of a task, and why.
create or replace view ccp.task_status with (security_barrier) as
select
    t.id,
    t.kind,
    h.short_id as host,
    u.username,
    t.status,
    t.stage::text as stage,
    t.attempt,
    t.created_at,
    t.finished_at,
    case
        when t.status = 'succeeded' then format(
            '%s was done in %s s, asked for by %s%s', t.kind,
            round(extract(epoch from t.finished_at - t.created_at)::numeric, 1), t.created_by,
            case when t.started_at is null then ': ' || t.message end
        )
        when t.status = 'failed' then format('%s failed on try %s (%s): %s', t.kind, t.attempt, t.error_code, t.error_message)
        when t.status = 'canceled' then format('%s was canceled: %s', t.kind, coalesce(t.error_message, t.error_code))
        when t.status = 'running' and t.stop_requested_at is not null then format(
            '%s was asked to stop %s ago, because %s', t.kind, clock.span(clock.now() - t.stop_requested_at),
            case t.stop_reason
                when 'canceled' then 'it was canceled'
                when 'superseded' then 'another request takes its place'
                else 'its time is over; ' || clock.span(task.overdue_limit()) || ' later its process is declared dead'
            end
        )
        when t.status = 'running' then format(
            '%s runs for %s on try %s: %s', t.kind, clock.span(clock.now() - t.started_at), t.attempt,
            coalesce(t.message, t.stage, 'it has not said yet what it does')
        )
        when r.id is not null then format('%s waits for %s on the same host to end', t.kind, r.kind)
        when t.run_at > clock.now() then format(
            '%s is tried again in %s, after: %s', t.kind, clock.span(t.run_at - clock.now()), t.error_message
        )
        when t.needs_active_user and account.state(u.disabled_at, u.expires_at) <> 'active' then format(
            '%s is not begun, because its user is %s; the next tick cancels it', t.kind,
            account.state(u.disabled_at, u.expires_at)
        )
        when p.id is null then format(
            '%s waits, and no %s runs%s', t.kind,
            case t.queue when 'ccp_worker' then 'ccp-worker' else 'ccp-agent' end, coalesce(' on ' || n.name, '')
        )
        when not process.is_heard(p.beat_at) then format(
            '%s waits, and %s on %s has not been heard of for %s', t.kind, p.program, n.name, clock.span(clock.now() - p.beat_at)
        )
        else format('%s has waited %s to be claimed', t.kind, clock.span(clock.now() - t.run_at))
    end as why
from ccp.task_rows as t
left join ccp.hosts as h on h.id = t.host_id
left join ccp.users as u on u.id = t.user_id
left join ccp.task_rows as r on r.host_id = t.host_id and r.status = 'running' and t.status = 'queued'
left join lateral (
    select l.id, l.program, l.node_id, l.beat_at
    from ccp.processes as l
    where t.status = 'queued' and l.queue = t.queue and l.ended_at is null
    order by l.beat_at desc
    limit 1
) as p on true
left join ccp.nodes as n on n.id = coalesce(h.node_id, p.node_id);
comment on view ccp.task_status is 'What became of each task, and why.';
comment on column ccp.task_status.id is 'Identity.';
comment on column ccp.task_status.kind is 'Kind of task.';
comment on column ccp.task_status.host is 'Short id of the host.';
comment on column ccp.task_status.username is 'Whose it is.';
comment on column ccp.task_status.status is 'What it is now.';
comment on column ccp.task_status.stage is 'The step it is in.';
comment on column ccp.task_status.attempt is 'How many tries have begun.';
comment on column ccp.task_status.created_at is 'When it was asked for.';
comment on column ccp.task_status.finished_at is 'When it ended.';
comment on column ccp.task_status.why is 'The answer, as a sentence.';
grant select on ccp.task_status to ccp_automation, ccp_dba;
