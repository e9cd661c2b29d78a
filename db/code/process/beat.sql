-- One beat. Tells the process which of its tasks to drop and which to stop, and puts back into the queue what the
-- database thinks it runs and it does not: claims whose answer was lost on the way. Locked tasks wait for the next
-- beat. Most beats also bring what the process has counted.
create or replace function process.beat(p_process_id bigint, p_leases bigint[], p_samples jsonb default null)
returns table (alive boolean, drop_leases bigint[], stop_leases bigint[], health jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_leases bigint[] := coalesce(p_leases, '{}');
    v_program text;
    v_lost record;
begin
    update ccp.processes as p
    set beat_at = clock.now()
    where p.id = p_process_id
        and p.ended_at is null
    returning p.program into v_program;
    if not found then
        return query select false, v_leases, '{}'::bigint[], process.health();
        return;
    end if;
    perform process.require_program(v_program);
    if p_samples is not null then
        perform metric.keep(p_process_id, p_samples);
    end if;

    for v_lost in
        select t.id, t.lease
        from ccp.task_rows as t
        where t.process_id = p_process_id
            and t.status = 'running'
            and t.started_at < clock.now() - interval '5 seconds'
            and t.lease <> all (v_leases)
        order by t.host_id, t.id
    loop
        perform task.try_release_orphan(v_lost.id, v_lost.lease);
    end loop;

    return query
    select
        true,
        array(
            select l.lease
            from unnest(v_leases) as l (lease)
            where not exists (
                select
                from ccp.task_rows as t
                where t.process_id = p_process_id and t.status = 'running' and t.lease = l.lease
            )
        ),
        array(
            select t.lease
            from ccp.task_rows as t
            where t.process_id = p_process_id and t.status = 'running' and t.stop_requested_at is not null
        ),
        process.health();
end
$$;

revoke all on function process.beat(bigint, bigint[], jsonb) from public;
grant execute on function process.beat(bigint, bigint[], jsonb) to ccp_api, ccp_worker, ccp_agent, ccp_sshproxy;

comment on function process.beat(bigint, bigint[], jsonb) is
'One beat with the leases being worked on: {alive, leases to drop, leases to stop, health}.';
