-- One view per question that people ask in psql; each answers in a column "why" that is a sentence.

create view ccp.tasks with (security_barrier) as
select
    t.id,
    t.kind,
    t.host_id,
    t.params::jsonb as params,
    t.status,
    t.stage::text as stage,
    t.progress::integer as progress,
    t.message::text as message,
    t.attempt,
    t.result,
    t.error_code::text as error_code,
    t.error_message::text as error_message,
    t.idempotency_key::text as idempotency_key,
    t.created_by,
    t.created_at,
    t.started_at,
    t.finished_at
from ccp.task_rows as t;
comment on view ccp.tasks is
'Automation''s whole interface: insert into ccp.tasks (kind, host_id) values (...) returning id, status. Insertable: kind, '
'host_id, params, idempotency_key.';
comment on column ccp.tasks.id is 'Identity.';
comment on column ccp.tasks.kind is 'What to do: see ccp.rules.';
comment on column ccp.tasks.host_id is 'The host it works on.';
comment on column ccp.tasks.params is 'Parameters, a JSON object.';
comment on column ccp.tasks.status is 'queued, running, succeeded, failed or canceled.';
comment on column ccp.tasks.stage is 'The step it is in.';
comment on column ccp.tasks.progress is 'Percentage.';
comment on column ccp.tasks.message is 'The step as a sentence.';
comment on column ccp.tasks.attempt is 'How many tries have begun.';
comment on column ccp.tasks.result is 'What it brought.';
comment on column ccp.tasks.error_code is 'Why it failed or was canceled.';
comment on column ccp.tasks.error_message is 'The same as a sentence.';
comment on column ccp.tasks.idempotency_key is 'Your name for this request; the same again returns the same row.';
comment on column ccp.tasks.created_by is 'Who asked.';
comment on column ccp.tasks.created_at is 'When it was asked for.';
comment on column ccp.tasks.started_at is 'When it was last claimed.';
comment on column ccp.tasks.finished_at is 'When it ended.';
create trigger tasks_are_enqueued instead of insert on ccp.tasks
for each row execute function task.insert_from_view();

create view ccp.host_wants with (security_barrier) as
select
    h.id as host_id,
    case
        when u.disabled_at is not null then 'disabled'
        when u.expires_at <= clock.now() then 'expired'
        else 'active'
    end as user_state,
    case
        when h.desired = 'running' and (u.disabled_at is not null or u.expires_at <= clock.now()) then 'stopped'
        else h.desired
    end as wanted,
    format('%s desires it %s', u.username, h.desired) as why
from ccp.hosts as h
join ccp.users as u on u.id = h.user_id;
comment on view ccp.host_wants is 'What is wanted of each host now, its user''s state considered.';

create view ccp.exit_peers with (security_barrier) as
select
    b.egress_ip_id,
    e.wg_public_key as exit_public_key,
    h.wg_public_key as host_public_key,
    host(e.wg_peer_address)::cidr as peer_address,
    h.id as host_id,
    format('%s of host %s must be a peer of exit %s', host(e.wg_peer_address), h.short_id, e.label) as why
from ccp.bindings as b
join ccp.egress_ips as e on e.id = b.egress_ip_id
join ccp.hosts as h on h.id = b.host_id
where b.ended_at is null
    and h.wg_public_key is not null
    and h.status <> 'deleted';
comment on view ccp.exit_peers is
'Which key must be known at which exit under which inside address: what to register at a provider. ccp_event rings when it '
'changes.';

create view ccp.workers with (security_barrier) as
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
            '%s on %s has been silent for %s: at 20 s it is declared dead', p.program, n.name, clock.span(clock.now() - p.beat_at)
        )
        else format(
            '%s on %s ended %s ago (%s) and nothing has taken its place', p.program, n.name,
            clock.span(clock.now() - p.ended_at),
            case p.end_reason
                when 'stopped' then 'it was stopped'
                when 'silent' then 'it was not heard of for 20 s'
                when 'overdue' then 'it kept a task 30 s past its deadline'
                else p.end_reason
            end
        )
    end as why
from (
    select distinct on (l.program, l.node_id)
        l.*,
        case
            when l.ended_at is not null then 'ended'
            when l.beat_at > clock.now() - interval '15 seconds' then 'alive'
            else 'silent'
        end as status
    from ccp.processes as l
    order by l.program, l.node_id, l.id desc
) as p
join ccp.nodes as n on n.id = p.node_id
where p.ended_at is null
    or p.ended_at > clock.now() - interval '7 days';
comment on view ccp.workers is 'The programs that run, and those that ended and have no successor.';

create view ccp.task_status with (security_barrier) as
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
            case when t.started_at is null then ': there was nothing left to do' else '' end
        )
        when t.status = 'failed' then format('%s failed on try %s (%s): %s', t.kind, t.attempt, t.error_code, t.error_message)
        when t.status = 'canceled' then format('%s was canceled: %s', t.kind, coalesce(t.error_message, t.error_code))
        when t.status = 'running' and t.stop_requested_at is not null then format(
            '%s was asked to stop %s ago, because %s', t.kind, clock.span(clock.now() - t.stop_requested_at),
            case t.stop_reason
                when 'canceled' then 'somebody canceled it'
                when 'superseded' then 'another request takes its place'
                else 'its time is over; 30 s later its process is declared dead'
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
        when t.needs_active_user and w.user_state <> 'active' then format(
            '%s is not begun, because its user is %s; the next tick cancels it', t.kind, w.user_state
        )
        when p.id is null then format(
            '%s waits, and no %s runs%s', t.kind,
            case t.queue when 'ccp_worker' then 'ccp-worker' else 'ccp-agent' end, coalesce(' on ' || n.name, '')
        )
        when p.beat_at < clock.now() - interval '15 seconds' then format(
            '%s waits, and %s on %s has not been heard of for %s', t.kind, p.program, n.name, clock.span(clock.now() - p.beat_at)
        )
        else format('%s has waited %s to be claimed', t.kind, clock.span(clock.now() - t.run_at))
    end as why
from ccp.task_rows as t
left join ccp.hosts as h on h.id = t.host_id
left join ccp.users as u on u.id = t.user_id
left join ccp.host_wants as w on w.host_id = t.host_id and t.status = 'queued'
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

create view ccp.host_status with (security_barrier) as
select
    h.id,
    h.short_id as host,
    u.username,
    n.name as node,
    h.status,
    h.desired,
    w.wanted,
    b.exit_label as exit,
    e.ip_address as exit_address,
    v.at as verified_at,
    o.state as observed,
    concat_ws(
        '; ',
        format('host %s of %s %s', h.short_id, u.username, s.description),
        t.what,
        case
            when h.status = 'deleted' then null
            when w.user_state <> 'active' then format('its user is %s', w.user_state)
            when h.status in ('unavailable', 'failed') and h.error_message is not null then
                format('%s: %s', h.error_code, h.error_message)
        end,
        case when b.id is null and h.status <> 'deleted' then 'it has no exit' end,
        case
            when t.what is not null or h.status in (w.wanted, 'deleted') then null
            when h.retry_at > clock.now() then format('tried again in %s', clock.span(h.retry_at - clock.now()))
            when w.wanted = 'running' and b.id is null then 'it is wanted running and cannot be without one'
            else format('it is wanted %s, and the next tick sees to that', w.wanted)
        end
    ) as why
from ccp.hosts as h
join ccp.users as u on u.id = h.user_id
join ccp.nodes as n on n.id = h.node_id
join ccp.host_wants as w on w.host_id = h.id
join ccp.host_statuses as s on s.status = h.status
left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
left join ccp.egress_ips as e on e.id = b.egress_ip_id
left join ccp.observations as o on o.host_id = h.id
left join lateral (
    select string_agg(
        l.kind || case
            when l.status = 'queued' then ' waits'
            else ' runs' || coalesce(' (' || l.message || ')', '')
                || case when l.stop_requested_at is not null then ' and is to stop' else '' end
        end,
        ', ' order by l.status desc
    ) as what
    from ccp.task_rows as l
    where l.host_id = h.id and l.status in ('queued', 'running')
) as t on true
left join lateral (
    select e.at
    from ccp.verifications as e
    where e.host_id = h.id and e.outcome = 'passed'
    order by e.at desc
    limit 1
) as v on true;
comment on view ccp.host_status is 'What each host is, what is wanted of it, and why it is so.';

create view ccp.rules with (security_barrier) as
select
    k.kind,
    k.from_statuses as allowed_from,
    k.while_status as meanwhile,
    k.done_status as done,
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
            k.kind, k.description, array_to_string(k.from_statuses, ', '), k.while_status, k.done_status,
            case
                when k.kind = 'host.delete' then 'nothing stops it'
                when k.waits then 'a busy host lets it wait its turn'
                else 'a busy host refuses it'
            end
        )
        else format('insert into ccp.tasks (kind) values (''%s'') to %s', k.kind, k.description)
    end as why
from ccp.task_kinds as k;
comment on view ccp.rules is 'The kinds of tasks: what each does, from where, and what it leaves behind.';

create view ccp.stuck with (security_barrier) as
select
    'task' as what,
    t.id::text as id,
    concat_ws(' ', t.kind, s.host) as name,
    t.run_at as since,
    s.why
from ccp.task_rows as t
join ccp.task_status as s on s.id = t.id
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
join ccp.task_status as s on s.id = t.id
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
            when not exists (select from ccp.ticks as k where k.ticked_at > clock.now() - interval '65 seconds') then
                'nobody ticks; start ccp-worker'
            else coalesce('the last try failed: ' || h.error_message, 'the tick does not get to it; the server''s log tells why')
        end
    )
from ccp.hosts as h
join ccp.host_wants as w on w.host_id = h.id
left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
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

create view ccp.doctor with (security_barrier) as
select
    c.name,
    c.ok,
    c.why
from (
    select
        'tick' as name,
        coalesce(max(t.ticked_at) > clock.now() - interval '65 seconds', false) as ok,
        coalesce(
            'time last passed for the rules ' || clock.span(clock.now() - max(t.ticked_at)) || ' ago',
            'time has never passed for the rules'
        ) || '; the worker ticks each second, pg_cron each minute' as why
    from ccp.ticks as t
    union all
    select
        'cron',
        coalesce(max(t.seen_at) > clock.now() - interval '150 seconds', false),
        coalesce('pg_cron came ' || clock.span(clock.now() - max(t.seen_at)) || ' ago', 'pg_cron has never come')
        || '; it keeps the rules when no worker runs: see cron.job in the database postgres'
    from ccp.ticks as t
    where t.who = 'cron'
    union all
    select
        replace(l.program, 'ccp-', ''),
        count(w.id) > 0,
        case when count(w.id) > 0 then format('%s runs on %s', l.program, string_agg(w.node, ', ' order by w.node))
            else format('no %s is heard of: %s', l.program, l.without)
        end
    from (
        values
            ('ccp-worker', 'nothing is retained, and the rules wait for pg_cron'),
            ('ccp-api', 'nobody can log in'),
            ('ccp-sshproxy', 'nobody can come in by ssh')
    ) as l (program, without)
    left join ccp.workers as w on w.program = l.program and w.status = 'alive'
    group by l.program, l.without
    union all
    select
        'agent',
        count(*) filter (where a.id is null) = 0,
        coalesce(
            'no ccp-agent is heard of on ' || string_agg(n.name, ', ' order by n.name) filter (where a.id is null)
            || ': its hosts close when their proofs run out',
            'a ccp-agent runs on every node that has hosts'
        )
    from ccp.nodes as n
    left join ccp.workers as a on a.node = n.name and a.program = 'ccp-agent' and a.status = 'alive'
    where exists (select from ccp.hosts as h where h.node_id = n.id and h.status <> 'deleted')
    union all
    select
        'settings',
        count(*) = 0,
        coalesce(
            'no host can be started before these are in ccp.settings: ' || string_agg(m.missing, ', ' order by m.missing),
            'everything that a start needs is in ccp.settings'
        )
    from (
        select s.name || case s.name when 'echo_urls' then ' (at least 3)' else '' end as missing
        from ccp.settings as s
        where s.name in ('echo_urls', 'connect_targets', 'dns_check_zone')
            and (
                s.value is null
                or jsonb_typeof(s.value) = 'array'
                and jsonb_array_length(s.value) < case s.name when 'echo_urls' then 3 else 1 end
            )
    ) as m
    union all
    select
        'keys',
        count(*) = 0,
        coalesce(string_agg(m.missing, '; ' order by m.missing), 'every program has stored its key')
    from (
        select case s.name
            when 'sealing_key' then 'the agent has not stored the key to which exit secrets are sealed: start it'
            else 'the ssh proxy has not stored its host key: start it'
        end as missing
        from ccp.settings as s
        where s.name in ('sealing_key', 'ssh_host_key') and s.value is null
        union all
        select 'no key signs tokens: the first login makes one'
        where not exists (select from ccp.signing_keys as k where k.retired_at is null)
    ) as m
    union all
    select
        'months',
        count(*) = 0,
        coalesce(
            'events and verifications cannot be written without these, which the tick makes ahead: '
            || string_agg(m.name, ', ' order by m.name),
            'the partitions of this month and the next are there'
        )
    from (
        select t.name || to_char(clock.now() at time zone 'UTC' + make_interval(months => a.ahead), '_YYYY_MM') as name
        from (values ('events'), ('verifications')) as t (name)
        cross join generate_series(0, 1) as a (ahead)
    ) as m
    where to_regclass('ccp.' || m.name) is null
    union all
    select
        'proofs',
        count(*) = 0,
        coalesce(
            'no proof was written in time for ' || string_agg(s.host, ', ' order by s.host) || ': see the agent''s log',
            'every running host was proven in the time of two full verifications'
        )
    from ccp.host_status as s
    join ccp.hosts as h on h.id = s.id
    cross join (
        select make_interval(secs => 2 * coalesce((v.value #>> '{}')::double precision, 600)) as allowed
        from ccp.settings as v
        where v.name = 'verify_full_s'
    ) as f
    where h.status = 'running'
        and greatest(s.verified_at, h.status_changed_at) < clock.now() - f.allowed
    union all
    select
        'stuck',
        count(*) = 0,
        coalesce(
            'ccp.stuck tells why these do not move: '
            || left(string_agg(s.what || ' ' || s.name, ', ' order by s.since), 300),
            'nothing waits that should move'
        )
    from ccp.stuck as s
) as c;
comment on view ccp.doctor is 'Is the installation healthy? Every row should say ok.';

create view ccp.now with (security_barrier) as
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

-- Every column of every view says what it is.
do $$
declare
    v_column record;
begin
    for v_column in
        select
            a.attrelid::regclass as view,
            a.attname as name,
            coalesce(m.description, replace(a.attname, '_', ' ')) as description
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
        left join (
            values
                ('why', 'The answer, as a sentence.'),
                ('id', 'Identity.'),
                ('status', 'What it is now.'),
                ('desired', 'What its owner wants.'),
                ('wanted', 'What is wanted now: stopped for an expired or disabled user.'),
                ('user_state', 'active, expired or disabled.'),
                ('host', 'Short id of the host.'),
                ('host_id', 'Id of the host.'),
                ('username', 'Whose it is.'),
                ('node', 'The machine.'),
                ('since', 'Since when.'),
                ('what', 'What sort of thing.'),
                ('name', 'Its name.'),
                ('ok', 'Whether it is as it should be.'),
                ('egress_ip_id', 'Id of the exit.'),
                ('exit', 'Label of its exit.'),
                ('exit_address', 'Address the world must see.'),
                ('exit_public_key', 'The exit''s own key.'),
                ('host_public_key', 'The key to register.'),
                ('peer_address', 'The inside address to register it with.'),
                ('verified_at', 'When the exit was last fully proven.'),
                ('observed', 'What the agent last saw.'),
                ('allowed_from', 'Statuses it may begin from.'),
                ('meanwhile', 'Status of the host while it is next or runs.'),
                ('done', 'Status of the host when it succeeded.'),
                ('failed', 'Status of the host when it failed.'),
                ('canceled', 'Status of the host when it was canceled.'),
                ('deadline', 'Time until it is asked to stop.'),
                ('attempts', 'Tries, if the failure can pass.'),
                ('params', 'Parameters and the pattern each must match.'),
                ('kind', 'Kind of task.'),
                ('stage', 'The step it is in.'),
                ('attempt', 'How many tries have begun.'),
                ('created_at', 'When it was asked for.'),
                ('finished_at', 'When it ended.'),
                ('program', 'Which program.'),
                ('pid', 'Its process id.'),
                ('version', 'Its version.'),
                ('queue', 'The queue it serves.'),
                ('beat_at', 'When it was last heard of.'),
                ('running_tasks', 'Tasks it runs.'),
                ('queued_tasks', 'Tasks that wait in its queue.'),
                ('sessions', 'Sessions it holds.')
        ) as m (name, description) on m.name = a.attname
        where c.relnamespace = 'ccp'::regnamespace
            and c.relkind = 'v'
            and c.relname <> 'tasks'
    loop
        execute format('comment on column %s.%I is %L', v_column.view, v_column.name, v_column.description);
    end loop;
end
$$;

grant select on ccp.task_status, ccp.host_status, ccp.workers, ccp.rules, ccp.stuck, ccp.doctor, ccp.now
to ccp_automation, ccp_dba;
grant select on ccp.exit_peers, ccp.host_wants to ccp_dba;
grant select, insert (kind, host_id, params, idempotency_key) on ccp.tasks to ccp_automation;
grant select on ccp.tasks to ccp_dba;
