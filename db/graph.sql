-- The states of hosts and tasks as Markdown with Mermaid diagrams, drawn from the rules: docs/state-graph.md.
set search_path = pg_catalog, pg_temp;

-- The status a kind names for an end, and those that depend on what the task left.
create function pg_temp.outcomes(p_kind text, p_outcome text, p_status text)
returns text
language sql
as $$
    select concat_ws(
        ', ', p_status, string_agg(format('%s if it left it %s', o.host_status, o.left_state), ', ' order by o.left_state)
    )
    from ccp.task_outcomes as o
    where o.kind = p_kind and o.outcome = p_outcome
$$;

-- Why a host takes a step: a kind is asked for, or it ends.
create temporary view host_steps as
select
    e.from_status,
    e.to_status,
    string_agg(r.reason, ', ' order by r.rank, r.reason) as reasons
from ccp.host_edges as e
left join (
    select
        unnest(k.from_statuses) as from_status,
        k.while_status as to_status,
        k.kind as reason,
        1 as rank
    from ccp.task_kinds as k
    union all
    select
        k.while_status,
        x.status,
        k.kind || ' ' || x.ending,
        x.rank
    from ccp.task_kinds as k
    cross join lateral (
        values
            (k.done_status, 'succeeds', 2), (k.failed_status, 'fails', 3), (k.canceled_status, 'is canceled', 4)
    ) as x (status, ending, rank)
    union all
    select
        k.while_status,
        o.host_status,
        format('%s %s and left it %s', o.kind, o.outcome, o.left_state),
        5
    from ccp.task_outcomes as o
    join ccp.task_kinds as k on k.kind = o.kind
) as r on r.from_status = e.from_status and r.to_status = e.to_status
group by e.from_status, e.to_status;

\qecho '# The states of hosts and tasks'
\qecho
\qecho 'Drawn by `db/golden` from the rows of `db/rules/`. Do not edit.'
\qecho
\qecho '## Hosts'
\qecho
\qecho 'An edge without a name is taken by reconciliation itself: what the agent sees is not what the status says.'
\qecho
\qecho '```mermaid'
\qecho 'stateDiagram-v2'
\qecho '    [*] --> pending'
select format('    %s --> %s', s.from_status, s.to_status) || coalesce(' : ' || s.reasons, '')
from host_steps as s
order by s.from_status collate "C", s.to_status collate "C";
select format('    %s --> [*]', s.status)
from ccp.host_statuses as s
where not exists (select from ccp.host_edges as e where e.from_status = s.status)
order by s.status collate "C";
\qecho '```'
\qecho
\qecho '| status | the host ... |'
\qecho '|---|---|'
select format('| %s | %s |', s.status, s.description)
from ccp.host_statuses as s
order by s.status collate "C";
\qecho
\qecho '## What each kind of task does to its host'
\qecho
\qecho '| kind | begins from | meanwhile | succeeded | failed | canceled |'
\qecho '|---|---|---|---|---|---|'
select format(
    '| %s | %s | %s | %s | %s | %s |', k.kind, array_to_string(k.from_statuses, ', '), k.while_status,
    pg_temp.outcomes(k.kind, 'succeeded', k.done_status), pg_temp.outcomes(k.kind, 'failed', k.failed_status),
    pg_temp.outcomes(k.kind, 'canceled', k.canceled_status)
)
from ccp.task_kinds as k
where k.subject = 'host'
order by k.kind collate "C";
\qecho
\qecho '## Reconciliation'
\qecho
\qecho 'The task that the tick enqueues for a host without a live task, by what is wanted of it.'
\qecho
\qecho '| status | wanted running | wanted stopped | wanted absent |'
\qecho '|---|---|---|---|'
select format(
    '| %s | %s | %s | %s |', r.status,
    coalesce(max(r.kind) filter (where r.wanted = 'running'), '-'),
    coalesce(max(r.kind) filter (where r.wanted = 'stopped'), '-'),
    coalesce(max(r.kind) filter (where r.wanted = 'absent'), '-')
)
from ccp.host_remedies as r
group by r.status
order by r.status collate "C";
\qecho
\qecho '## Tasks'
\qecho
\qecho '```mermaid'
\qecho 'stateDiagram-v2'
\qecho '    [*] --> queued'
select format('    %s --> %s : %s', e.from_status, e.to_status, replace(e.description, ':', ','))
from ccp.task_edges as e
order by e.from_status collate "C", e.to_status collate "C";
select distinct format('    %s --> [*]', e.to_status)
from ccp.task_edges as e
where not exists (select from ccp.task_edges as n where n.from_status = e.to_status)
order by 1;
\qecho '```'
