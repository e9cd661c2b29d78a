-- Whether the installation is healthy.
create or replace view ccp.doctor with (security_barrier) as
select
    c.name,
    c.ok,
    c.why
from (
    select
        'tick' as name,
        coalesce(max(t.ticked_at) > clock.now() - max(t.gap_limit), false) as ok,
        coalesce(
            'time last passed for the rules ' || clock.span(clock.now() - max(t.ticked_at)) || ' ago',
            'time has never passed for the rules'
        ) || '; the worker ticks each second, pg_cron each minute' as why
    from ccp.ticks as t
    union all
    select
        'cron',
        coalesce(clock.cron_is_heard(max(t.seen_at)), false),
        coalesce('pg_cron came ' || clock.span(clock.now() - max(t.seen_at)) || ' ago', 'pg_cron has never come')
        || '; it keeps the rules when no worker runs: db/apply makes its job, which is in cron.job of the database postgres, '
        || 'and a restart of PostgreSQL its launcher, should that have been ended'
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
        'webhooks',
        count(*) = 0,
        coalesce(
            string_agg(
                format(
                    'webhook %s has been failing for %s: %s', w.label, clock.span(clock.now() - w.failing_since), w.failing_reason
                ),
                '; ' order by w.failing_since
            ),
            'no webhook is failing'
        )
    from ccp.webhooks as w
    where w.failing_since is not null and w.status = 'active'
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
        'locks',
        k.share < 0.5,
        format('%s %% of the table of locks, which all sessions share, is taken', round((100 * k.share)::numeric, 1))
        || case when k.share < 0.5 then '' else coalesce(
            ': ' || (
                select string_agg(s.why, '; ' order by s.locks desc)
                from (select * from ccp.database_sessions order by locks desc limit 3) as s
                where s.locks > 0
            ), ''
        ) end
    from (values (access.lock_share())) as k (share)
    union all
    select
        'sessions',
        count(*) = 0,
        coalesce(string_agg(s.why, '; ' order by s.since), 'no session of the database keeps others waiting for long')
    from ccp.database_sessions as s
    where s.holds_up > 0 and s.since < clock_timestamp() - interval '2 seconds'
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
        'machines',
        count(*) = 0,
        coalesce(
            string_agg(
                format('%s on %s for %s: %s', t.name, n.name, clock.span(clock.now() - t.since), t.message),
                '; ' order by t.since, t.name
            ),
            'no agent has found anything on its machine that is not as it should be'
        )
    from ccp.node_troubles as t
    join ccp.nodes as n on n.id = t.node_id
    union all
    select
        'rules',
        count(*) = 0,
        coalesce(
            'these rules of the tick fail: '
            || string_agg(
                format('%s for %s (%s)', r.rule, clock.span(clock.now() - r.failed_at), r.error), ', ' order by r.place
            ),
            'no rule of the tick fails'
        )
    from ccp.tick_rules as r
    where r.failed_at is not null
    union all
    select
        'hosts',
        count(*) = 0,
        coalesce(
            'these should run and failed: '
            || left(string_agg(format('%s (%s)', h.short_id, h.error_code), ', ' order by h.short_id), 300)
            || '; ccp.host_status tells why and what is next',
            'no host that should run has failed'
        )
    from ccp.hosts as h
    join ccp.users as u on u.id = h.user_id
    join ccp.nodes as n on n.id = h.node_id
    left join ccp.observations as o on o.host_id = h.id
    where h.status not in ('running', 'switching', 'deleted')
        and h.error_code is not null
        and host.wanted_of(
            h.desired, account.state(u.disabled_at, u.expires_at),
            host.gives_way(o.disk_excess, n.disk_short_since, n.drained_at)
        ) = 'running'
    union all
    select
        'proofs',
        count(*) = 0,
        coalesce(
            'these are said to run and are closed, because the last proof of their exits has ended: '
            || left(string_agg(h.short_id, ', ' order by h.short_id), 300) || '; see the agent''s log',
            'the exit of every running host is proven now'
        )
    from ccp.hosts as h
    left join ccp.observations as o on o.host_id = h.id
    where h.status = 'running'
        and coalesce(o.proof_ends_at, h.status_changed_at + interval '1 minute') <= clock.now()
    union all
    select
        'disk',
        count(*) = 0,
        coalesce(
            string_agg(
                format('%s has %s free: no host is started there', n.name, n.disk_short), ', ' order by n.name
            ),
            'every node''s disk has more room than disk_reserve_percent'
        )
    from ccp.nodes as n
    where n.disk_short_since is not null
    union all
    select
        'drained',
        count(h.id) = 0,
        coalesce(
            'drained: ' || string_agg(distinct n.name, ', ') || case
                when count(h.id) = 0 then ', where no host is desired running'
                else format(
                    ', where hosts that are desired running are kept stopped (%s) until the drain ends', count(h.id)
                )
            end,
            'no node is drained'
        )
    from ccp.nodes as n
    left join ccp.hosts as h on h.node_id = n.id and h.desired = 'running'
    where n.drained_at is not null
    union all
    select
        'files',
        count(*) = 0,
        coalesce(
            'these take more of their disks than host_disk_gb allows, ccp.host_status tells how much: '
            || left(string_agg(h.short_id, ', ' order by h.short_id), 300)
            || '; when a disk is nearly full those on it are stopped',
            'no host''s files take more than host_disk_gb allows'
        )
    from ccp.hosts as h
    join ccp.observations as o on o.host_id = h.id
    where h.status <> 'deleted' and o.disk_excess is not null
    union all
    select
        'ssh',
        count(*) = 0,
        coalesce(
            'nobody can come in to these by ssh, ccp.host_status tells why: '
            || left(string_agg(distinct h.short_id, ', '), 300),
            'as far as is known, each running host can be entered'
        )
    from ccp.ssh_faults as f
    join ccp.hosts as h on h.id = f.host_id and h.status = 'running' and f.since >= h.status_changed_at
    union all
    select
        'stuck',
        count(*) = 0,
        coalesce(
            'ccp.stuck tells why these do not move: '
            || left(string_agg(s.what || ' ' || s.name, ', ' order by s.id is null, s.since, s.name), 300),
            'nothing waits that should move'
        )
    from ccp.stuck as s
    union all
    select
        'user_namespaces',
        setting.value = '"required"' and count(r.node) = 0,
        case
            when setting.value <> '"required"' then
                'user_namespaces is off: root and dev inside are uid 0 and 1000 of the machine, so that its accounts of these '
                'ids read and end what users run, and one host can use up what the kernel counts by user id for all of them'
            else coalesce(
                'these start no host: '
                || string_agg(format('%s (%s)', r.node, r.why), ', ' order by r.node) filter (where r.node is not null)
                || '; mend that, or set user_namespaces to off',
                'a container that starts has user ids and a user namespace of its own'
            )
        end
    from (select s.value from ccp.settings as s where s.name = 'user_namespaces') as setting
    left join (select n.name as node, n.engine_refusal as why from ccp.nodes as n where n.engine_refusal is not null) as r on true
    group by setting.value
    union all
    select
        'user_ids',
        count(*) = 0,
        coalesce(
            'these hosts have ids that an account or /etc/subuid or /etc/subgid has too, and do not start: '
            || left(string_agg(t.host, ', ' order by t.host), 300),
            'no account has an id of a host'
        )
    from (
        select format('%s on %s', h.short_id, n.name) as host
        from ccp.nodes as n
        join ccp.hosts as h on h.node_id = n.id
        where n.taken_ids <> '{}'
            and h.status <> 'deleted'
            and exists (select from ccp.settings as s where s.name = 'user_namespaces' and s.value = '"required"')
            and host.ids_are_taken(h.slot, n.taken_ids)
    ) as t
    union all
    select
        'redirect_dir',
        count(*) = 0,
        coalesce(
            'overlay''s redirect_dir is on, so root in a container may move the directories above what is mounted there, on '
            || string_agg(n.name, ', ' order by n.name)
            || ': write N to /sys/module/overlay/parameters/redirect_dir and to its options in /etc/modprobe.d',
            'no container''s root can move the directories of its image'
        )
    from ccp.nodes as n
    where (n.limits ->> 'overlay.redirect_dir')::bigint = 1
    union all
    select
        l.name,
        bool_and(c.hosts <= c.carries),
        string_agg(
            format('%s has %s, which carries %s hosts (there are %s)', c.node, c.value, c.carries, c.hosts), ', ' order by c.node
        ) || format('; a host takes %s %s', l.per_host, l.description)
        || case when bool_and(c.hosts <= c.carries) then '' else '; raise it with sysctl or make up' end
    from ccp.machine_limits as l
    cross join lateral (
        select
            n.name as node,
            (n.limits ->> l.name)::bigint as value,
            greatest(0, (n.limits ->> l.name)::bigint - l.reserve) / l.per_host as carries,
            coalesce(h.hosts, 0) as hosts
        from ccp.nodes as n
        left join (
            select
                h.node_id,
                count(*) as hosts
            from ccp.hosts as h
            where h.status <> 'deleted'
            group by h.node_id
        ) as h on h.node_id = n.id
        where n.limits ? l.name
    ) as c
    group by l.name, l.per_host, l.description
) as c;
comment on view ccp.doctor is 'Is the installation healthy? Every row should say ok.';
comment on column ccp.doctor.name is 'Its name.';
comment on column ccp.doctor.ok is 'Whether it is as it should be.';
comment on column ccp.doctor.why is 'The answer, as a sentence.';
grant select on ccp.doctor to ccp_automation, ccp_dba;
