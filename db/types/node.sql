-- A node, as the HTTP routes answer it.
create type api.node_trouble as (name text, message text, since timestamptz);
comment on type api.node_trouble is 'What an agent has found on its machine that is not as it should be.';
comment on column api.node_trouble.name is 'A word for it.';
comment on column api.node_trouble.message is 'What it is, what it costs, and what helps.';
comment on column api.node_trouble.since is 'Since when the agent has seen it.';

create type api.node_program as (
    program text, version text, pid integer, started_at timestamptz, beat_at timestamptz
);
comment on type api.node_program is 'A program that runs on a node.';
comment on column api.node_program.program is 'ccp-api, ccp-worker, ccp-agent or ccp-sshproxy.';
comment on column api.node_program.version is 'Its version.';
comment on column api.node_program.pid is 'Its process id there.';
comment on column api.node_program.started_at is 'When it registered.';
comment on column api.node_program.beat_at is 'When it was last heard.';

create or replace view api.node with (security_invoker = true) as
select
    n.id::ccp.node_id as id,
    n.name,
    n.cordoned_at,
    n.drained_at,
    array(
        select row(p.program, p.version, p.pid, p.started_at, p.beat_at)::api.node_program
        from ccp.processes as p
        where p.node_id = n.id
            and p.ended_at is null
        order by p.program
    ) as programs,
    h.hosts,
    h.running,
    n.disk_bytes,
    n.disk_free_bytes,
    n.disk_short_since,
    n.engine_refusal,
    array(
        select row(t.name, t.message, t.since)::api.node_trouble
        from ccp.node_troubles as t
        where t.node_id = n.id
        order by t.since, t.name
    ) as troubles,
    n.created_at
from ccp.nodes as n
cross join lateral (
    select
        count(*) as hosts,
        count(*) filter (where h.status = 'running') as running
    from ccp.hosts as h
    where h.node_id = n.id and h.status <> 'deleted'
) as h;
comment on view api.node is 'A machine and what runs on it.';
comment on column api.node.id is 'Identity.';
comment on column api.node.name is 'Host name.';
comment on column api.node.cordoned_at is 'Since when it takes no new hosts (or null).';
comment on column api.node.drained_at is 'Since when its hosts are kept stopped (or null).';
comment on column api.node.programs is 'Our programs that run there now.';
comment on column api.node.hosts is 'How many hosts live there.';
comment on column api.node.running is 'How many of them run.';
comment on column api.node.disk_bytes is 'How large the disk with the state directory is (or null).';
comment on column api.node.disk_free_bytes is 'What is free of it (or null).';
comment on column api.node.disk_short_since is 'Since when less than the reserve is free (or null).';
comment on column api.node.engine_refusal is
'Why its Docker engine gives containers no user namespaces of their own (or null).';
comment on column api.node.troubles is 'What is not as it should be there.';
comment on column api.node.created_at is 'When a program first registered there.';

create type api.node_page as (nodes api.node[], next_cursor text);
comment on type api.node_page is 'A page of nodes, newest first.';
comment on column api.node_page.nodes is 'The nodes.';
comment on column api.node_page.next_cursor is 'Where the next page begins (or null).';

create type api.node_change as (topic api.live_topic, action api.live_action, id ccp.node_id, payload api.node);
comment on type api.node_change is 'A node of which something changed, as a live stream tells it.';
comment on column api.node_change.topic is 'nodes.';
comment on column api.node_change.action is 'What became of it.';
comment on column api.node_change.id is 'Identity.';
comment on column api.node_change.payload is 'It as the list has it; delete has none (or null).';
