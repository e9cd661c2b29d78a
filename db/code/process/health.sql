-- What healthz says: ok, stale (not heard of for a while) or absent (never, or stopped); of the table of locks ok or filling,
-- of the nodes' disks ok or short.
create or replace function process.health()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'database', 'ok',
        'agent', coalesce(max(p.health) filter (where p.program = 'ccp-agent'), 'absent'),
        'worker', coalesce(max(p.health) filter (where p.program = 'ccp-worker'), 'absent'),
        'cron', coalesce((
            select case when clock.cron_is_heard(t.seen_at) then 'ok' else 'stale' end
            from ccp.ticks as t
            where t.who = 'cron' and t.seen_at is not null
        ), 'absent'),
        'locks', case when access.lock_share() < 0.5 then 'ok' else 'filling' end,
        'disk', case when exists (select from ccp.nodes as n where n.disk_short_since is not null) then 'short' else 'ok' end
    )
    from (
        select
            l.program,
            case when process.is_heard(l.beat_at) then 'ok' else 'stale' end as health
        from ccp.processes as l
        where l.ended_at is null and l.program in ('ccp-agent', 'ccp-worker')
    ) as p
$$;

revoke all on function process.health() from public;

comment on function process.health() is
'What healthz says: of programs ok, stale or absent, of the table of locks ok or filling, of the nodes'' disks ok or short.';
