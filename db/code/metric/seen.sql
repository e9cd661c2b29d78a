-- What the database itself sees now, a row a series: a gauge each. Tasks are found by the indexes of those that have not ended;
-- hosts and users, of which there are thousands, are counted.
create or replace function metric.seen()
returns table (name text, labels jsonb, value double precision)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    -- A program that ended without a successor stays, as not up, unless it was stopped.
    select 'ccp_program_up', jsonb_build_object('program', p.program, 'node', p.node_id), p.is_up::integer::double precision
    from (
        select distinct on (l.program, l.node_id)
            l.program,
            l.node_id,
            l.ended_at,
            l.end_reason,
            l.ended_at is null and process.is_heard(l.beat_at) as is_up
        from ccp.processes as l
        order by l.program, l.node_id, l.id desc
    ) as p
    where p.ended_at is null
        or (p.end_reason <> 'stopped' and p.ended_at > clock.now() - interval '7 days')
    union all
    select
        'ccp_program_info', jsonb_build_object('program', p.program, 'node', p.node_id, 'version', p.version), 1
    from ccp.processes as p
    where p.ended_at is null
    union all
    select
        'ccp_program_start_time_seconds', jsonb_build_object('program', p.program, 'node', p.node_id),
        extract(epoch from p.started_at)
    from ccp.processes as p
    where p.ended_at is null
    union all
    select 'ccp_tasks', jsonb_build_object('queue', q.queue, 'status', q.status), q.tasks
    from metric.queues() as q
    union all
    select 'ccp_queue_age_seconds', jsonb_build_object('queue', q.queue), q.age_s
    from metric.queues() as q
    where q.status = 'queued'
    union all
    select 'ccp_hosts', jsonb_build_object('status', s.status), count(h.id)
    from ccp.host_statuses as s
    left join ccp.hosts as h on h.status = s.status
    where s.status <> 'deleted'
    group by s.status
    union all
    select 'ccp_users', jsonb_build_object('state', s.state), count(u.id)
    from (values ('active'), ('disabled'), ('expired')) as s (state)
    left join ccp.users as u on account.state(u.disabled_at, u.expires_at) = s.state and u.deleted_at is null
    group by s.state
    union all
    select 'ccp_sessions', jsonb_build_object('kind', k.kind), count(s.id)
    from (values ('ssh'), ('desktop')) as k (kind)
    left join ccp.sessions as s on s.kind = k.kind and s.ended_at is null
    group by k.kind
    union all
    select p.name, '{}', p.value
    from metric.proofs() as p
    union all
    select 'ccp_node_disk_free_bytes', jsonb_build_object('node', n.id), n.disk_free_bytes
    from ccp.nodes as n
    where n.disk_free_bytes is not null
    union all
    select 'ccp_node_disk_bytes', jsonb_build_object('node', n.id), n.disk_bytes
    from ccp.nodes as n
    where n.disk_bytes is not null
    union all
    select 'ccp_node_troubles', jsonb_build_object('node', n.id), count(t.name)
    from ccp.nodes as n
    left join ccp.node_troubles as t on t.node_id = n.id
    group by n.id
    union all
    select 'ccp_tick_age_seconds', jsonb_build_object('who', t.who), extract(epoch from clock.now() - t.ticked_at)
    from ccp.ticks as t
    where t.ticked_at is not null
    union all
    select 'ccp_tick_rules_failing', '{}', count(r.failed_at)
    from ccp.tick_rules as r
    union all
    select 'ccp_database_locks_ratio', '{}', access.lock_share()
$$;

revoke all on function metric.seen() from public;

comment on function metric.seen() is
'What the database itself sees now, a row a series.';
