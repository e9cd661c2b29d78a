-- How each webhook is, and why.
create or replace view ccp.webhook_status with (security_barrier) as
select
    w.label::text as label,
    case when w.status = 'active' and w.failing_since is not null then 'failing' else w.status end as status,
    d.created_at as waiting_since,
    d.attempts,
    case
        when w.status = 'disabled' then format('webhook %s is disabled: what happens is not sent, now or later', w.label)
        when w.failing_since is not null then format(
            'webhook %s has been failing for %s and goes on when it is changed or a test of it is taken: %s', w.label,
            clock.span(clock.now() - w.failing_since), w.failing_reason
        )
        when d.event_id is null then format('webhook %s has taken everything', w.label)
        when w.retry_at > clock.now() then format(
            'webhook %s has asked to be left alone for another %s, then it is sent what waits: %s', w.label,
            clock.span(w.retry_at - clock.now()), d.error_message
        )
        when d.error_message is null then format(
            'webhook %s is sent what has waited for %s', w.label, clock.span(clock.now() - d.created_at)
        )
        else format(
            'webhook %s has not taken %s, which was tried %s times, the last %s ago, and holds up the rest: %s', w.label,
            d.event_type, d.attempts, clock.span(clock.now() - d.tried_at), d.error_message
        )
    end as why
from ccp.webhooks as w
left join lateral (
    select q.*
    from ccp.webhook_deliveries as q
    where q.webhook_id = w.id and q.delivered_at is null
    order by q.event_id
    limit 1
) as d on true;
comment on view ccp.webhook_status is 'How each webhook is, and why.';
comment on column ccp.webhook_status.label is 'What people call it.';
comment on column ccp.webhook_status.status is 'active, disabled or failing.';
comment on column ccp.webhook_status.waiting_since is 'Since when the first event waits that it has not taken.';
comment on column ccp.webhook_status.attempts is 'How often that one was tried.';
comment on column ccp.webhook_status.why is 'The answer, as a sentence.';
grant select on ccp.webhook_status to ccp_automation, ccp_dba;
