-- Everything that is going on.
create or replace view ccp.now with (security_barrier) as
select
    'host' as what,
    s.host as name,
    s.status,
    s.why
from ccp.host_status as s
where s.status <> 'deleted'
union all
select
    'task',
    concat_ws(' ', t.kind, t.host),
    t.status,
    t.why
from ccp.task_status as t
where t.status in ('queued', 'running')
union all
select
    'program',
    w.program,
    w.status,
    w.why
from ccp.workers as w
union all
select
    'session',
    u.username,
    case when s.end_requested_at is null then 'open' else 'ending' end,
    format(
        '%s has been in host %s by %s from %s for %s%s', u.username, h.short_id, s.kind, host(s.address),
        clock.span(clock.now() - s.created_at),
        case when s.end_requested_at is null then '' else format(' and is being sent away (%s)', s.end_reason) end
    )
from ccp.sessions as s
join ccp.users as u on u.id = s.user_id
join ccp.hosts as h on h.id = s.host_id
where s.ended_at is null;
comment on view ccp.now is 'Everything that is going on, a sentence a row.';
comment on column ccp.now.what is 'What sort of thing.';
comment on column ccp.now.name is 'Its name.';
comment on column ccp.now.status is 'What it is now.';
comment on column ccp.now.why is 'The answer, as a sentence.';
grant select on ccp.now to ccp_automation, ccp_dba;
