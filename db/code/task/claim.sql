-- Takes up to p_limit tasks of the process's queue, each with a fresh lease, those whose turns come first: of housekeeping,
-- or all others. Locks task rows only and never waits: it skips what another claim has locked, whose host is busy, whose time
-- has not come or whose user is not active. `waited`: since it may have been claimed.
create or replace function task.claim(p_process_id bigint, p_limit integer, p_housekeeping boolean default false)
returns table (
    task_id uuid,
    kind text,
    host_id uuid,
    lease bigint,
    attempt integer,
    params jsonb,
    deadline_at timestamptz,
    stop_requested boolean,
    waited interval
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- Planned once a session: planned again at each call, a claim takes 1.7 times as long. For a limit that is a parameter the
-- planner expects a tenth of the table, and would read and sort all of the queue.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock.now();
begin
    return query
    update ccp.task_rows as t
    set
        status = 'running',
        process_id = p_process_id,
        lease = nextval('ccp.lease_ids'),
        attempt = t.attempt + 1,
        started_at = v_now,
        deadline_at = v_now + (select k.deadline from ccp.task_kinds as k where k.kind = t.kind),
        left_state = null,
        stage = null,
        progress = null,
        message = null
    where t.id = any (
        array(
            select q.id
            from ccp.task_rows as q
            where q.queue = (
                    select p.queue
                    from ccp.processes as p
                    where p.id = p_process_id
                        and p.ended_at is null
                        and process.may_speak_for(p.program)
                )
                and q.housekeeping = p_housekeeping
                and q.status = 'queued'
                and q.run_at <= v_now
                and (
                    q.host_id is null
                    or not exists (
                        select
                        from ccp.task_rows as r
                        where r.host_id = q.host_id and r.status = 'running'
                    )
                )
                and (
                    not q.needs_active_user
                    or exists (
                        select
                        from ccp.users as u
                        where u.id = q.user_id
                            and account.is_active(u.disabled_at, u.expires_at)
                    )
                )
            order by q.turn, q.run_at
            limit p_limit
            for no key update skip locked
        )
    )
    returning
        t.id, t.kind, t.host_id, t.lease, t.attempt, t.params::jsonb, t.deadline_at, t.stop_requested_at is not null,
        v_now - t.run_at;
    if not found then
        -- Nothing to do, or no right to ask.
        perform process.require(p_process_id);
    end if;
end
$$;

revoke all on function task.claim(bigint, integer, boolean) from public;
grant execute on function task.claim(bigint, integer, boolean) to ccp_worker, ccp_agent;

comment on function task.claim(bigint, integer, boolean) is
'Takes up to p_limit tasks of the process''s queue, each with a fresh lease; never waits.';
