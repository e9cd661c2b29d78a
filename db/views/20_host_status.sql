-- What a host is, and why; troubles first. One plan for all hosts: what is many for a host is grouped once and not host by host,
-- and the functions that it calls for each are inlined.
create or replace view ccp.host_status with (security_barrier) as
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
    o.proven_at as verified_at,
    o.state as observed,
    concat_ws(
        '; ',
        format('host %s of %s %s', h.short_id, u.username, s.description),
        case
            when h.status <> 'running' then null
            when g.node_id is null then format('no ccp-agent is heard of on %s', n.name)
        end,
        case when h.status = 'running' then host.proof_sentence(o.proven_at, o.proof_ends_at) end,
        case
            when h.status in ('unavailable', 'failed') then format('since %s', clock.span(clock.now() - h.status_changed_at))
        end,
        t.what,
        case
            when h.status = 'deleted' then null
            when a.user_state <> 'active' then format('its user is %s', a.user_state)
            when h.status in ('unavailable', 'failed') and h.error_message is not null then
                format('%s: %s', h.error_code, h.error_message)
        end,
        -- What does not keep it from running: Docker is stuck with its container.
        case when h.status = 'running' and o.state = 'running' then o.message end,
        case when b.id is null and h.status <> 'deleted' then 'it has no exit' end,
        -- As the agent decides it (agent/tunnel/proxy_outbound.c).
        case
            when h.status <> 'deleted' and (e.proxy_config ->> 'type' = 'http' or e.proxy_config -> 'udp' = 'false') then
                'its exit carries no UDP but names'
        end,
        case
            when h.status <> 'deleted' and x.state = 'down' then
                format('its exit is down since %s', clock.span(clock.now() - x.since))
        end,
        host.ssh_sentence(f.since, f.message),
        case when h.status <> 'deleted' then host.disk_sentence(o.disk_excess, n.disk_short_since is not null, n.name) end,
        case
            when n.drained_at is not null and h.desired = 'running' then
                format('%s is drained: it is kept stopped until that ends', n.name)
        end,
        case
            when t.what is not null or h.status in (w.wanted, 'deleted') then null
            when h.retry_at = 'infinity' then format(
                'it waits until %s: then, or when somebody asks, it is tried again', coalesce(l.remedy, 'that is mended')
            )
            when h.retry_at > clock.now() then format('tried again in %s', clock.span(h.retry_at - clock.now()))
            when w.wanted = 'running' and b.id is null then 'it is wanted running and cannot be without one'
            else format('it is wanted %s, and the next tick sees to that', w.wanted)
        end
    ) as why,
    h.status = 'deleted' or (
        (h.status = w.wanted or t.what is not null)
        and (
            h.status <> 'running'
            or (
                g.node_id is not null
                and f.since is null
                and coalesce(o.proof_ends_at, h.status_changed_at + interval '1 minute') > clock.now()
            )
        )
        and o.disk_excess is null
    ) as ok
from ccp.hosts as h
join ccp.users as u on u.id = h.user_id
join ccp.nodes as n on n.id = h.node_id
join ccp.host_statuses as s on s.status = h.status
cross join lateral (select account.state(u.disabled_at, u.expires_at) as user_state) as a
left join ccp.observations as o on o.host_id = h.id
cross join lateral (select host.gives_way(o.disk_excess, n.disk_short_since, n.drained_at) as gives_way) as y
cross join lateral (select host.wanted_of(h.desired, a.user_state, y.gives_way) as wanted) as w
left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
left join ccp.egress_ips as e on e.id = b.egress_ip_id
left join ccp.exit_states as x on x.egress_ip_id = b.egress_ip_id
left join (
    select
        l.host_id,
        string_agg(
            l.kind || case
                when l.status = 'queued' then ' waits'
                else ' runs' || coalesce(' (' || l.message || ')', '')
                    || case when l.stop_requested_at is not null then ' and is to stop' else '' end
            end,
            ', ' order by l.status desc
        ) as what
    from ccp.task_rows as l
    where l.status in ('queued', 'running') and l.host_id is not null
    group by l.host_id
) as t on t.host_id = h.id
left join (
    select
        k.host_id,
        min(k.since) as since,
        string_agg(k.message, '; ' order by k.since) as message
    from ccp.ssh_faults as k
    join ccp.hosts as r on r.id = k.host_id and r.status = 'running' and k.since >= r.status_changed_at
    group by k.host_id
) as f on f.host_id = h.id
left join ccp.lasting_failures as l on l.code = h.error_code
left join (
    select distinct p.node_id
    from ccp.processes as p
    where p.program = 'ccp-agent' and p.ended_at is null and process.is_heard(p.beat_at)
) as g on g.node_id = h.node_id
order by ok, h.status not in ('failed', 'unavailable'), h.short_id;
comment on view ccp.host_status is 'What each host is, what is wanted of it, and why it is so.';
comment on column ccp.host_status.id is 'Identity.';
comment on column ccp.host_status.host is 'Short id of the host.';
comment on column ccp.host_status.username is 'Whose it is.';
comment on column ccp.host_status.node is 'The machine.';
comment on column ccp.host_status.status is 'What it is now.';
comment on column ccp.host_status.desired is 'What its owner wants.';
comment on column ccp.host_status.wanted is
'What is wanted now: stopped for an expired or disabled user, and for what gives way on its node.';
comment on column ccp.host_status.exit is 'Label of its exit.';
comment on column ccp.host_status.exit_address is 'Address the world must see.';
comment on column ccp.host_status.verified_at is 'When the exit was last proven.';
comment on column ccp.host_status.observed is 'What the agent last saw.';
comment on column ccp.host_status.why is 'The answer, as a sentence.';
comment on column ccp.host_status.ok is 'Whether it is as it should be, or on its way there.';
grant select on ccp.host_status to ccp_automation, ccp_dba;
