-- The status a host has after a task of this kind that has ended so and left it in that state (as ccp.observations names
-- them; null: not known). ccp.task_outcomes has the cases in which that state decides.
create or replace function task.status_after(p_kind ccp.task_kinds, p_outcome text, p_left_state text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (
            select o.host_status
            from ccp.task_outcomes as o
            where o.kind = p_kind.kind
                and o.outcome = p_outcome
                and o.left_state = case p_left_state when 'absent' then 'stopped' else p_left_state end
        ),
        case p_outcome
            when 'succeeded' then p_kind.done_status
            when 'failed' then p_kind.failed_status
            else p_kind.canceled_status
        end
    )
$$;

revoke all on function task.status_after(ccp.task_kinds, text, text) from public;

comment on function task.status_after(ccp.task_kinds, text, text) is
'The status a host has after a task that has ended so and left it in that state.';
