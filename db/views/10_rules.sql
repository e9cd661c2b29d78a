-- The kinds of tasks, for people.
create or replace view ccp.rules with (security_barrier) as
select
    k.kind,
    k.from_statuses as allowed_from,
    k.while_status as meanwhile,
    concat_ws(' or ', k.done_status, o.statuses) as done,
    k.failed_status as failed,
    k.canceled_status as canceled,
    k.desired,
    k.deadline,
    k.attempts_max as attempts,
    (
        select jsonb_object_agg(p.name, p.pattern)
        from ccp.task_params as p
        where p.kind = k.kind
    ) as params,
    case k.subject
        when 'host' then format(
            'insert into ccp.tasks (kind, host_id) values (''%s'', ...) to %s: '
            'from %s; the host is %s meanwhile and %s when done; %s',
            k.kind, k.description, array_to_string(k.from_statuses, ', '), k.while_status,
            concat_ws(' or ', k.done_status, o.statuses),
            case
                when k.kind = 'host.delete' then 'nothing stops it'
                when k.waits then 'a busy host lets it wait its turn'
                else 'a busy host refuses it'
            end
        )
        else format('insert into ccp.tasks (kind) values (''%s'') to %s', k.kind, k.description)
    end as why
from ccp.task_kinds as k
left join lateral (
    select string_agg(l.host_status, ' or ') as statuses
    from ccp.task_outcomes as l
    where l.kind = k.kind and l.outcome = 'succeeded'
) as o on true;
comment on view ccp.rules is 'The kinds of tasks: what each does, from where, and what it leaves behind.';
comment on column ccp.rules.kind is 'Kind of task.';
comment on column ccp.rules.allowed_from is 'Statuses it may begin from.';
comment on column ccp.rules.meanwhile is 'Status of the host while it is next or runs.';
comment on column ccp.rules.done is 'Status of the host when it succeeded.';
comment on column ccp.rules.failed is 'Status of the host when it failed.';
comment on column ccp.rules.canceled is 'Status of the host when it was canceled.';
comment on column ccp.rules.desired is 'What its owner wants.';
comment on column ccp.rules.deadline is 'Time until it is asked to stop.';
comment on column ccp.rules.attempts is 'Tries, if the failure can pass.';
comment on column ccp.rules.params is 'Parameters and the pattern each must match.';
comment on column ccp.rules.why is 'The answer, as a sentence.';
grant select on ccp.rules to ccp_automation, ccp_dba;
