-- Declares a process dead: its tasks are released by their kind's rules and its sessions are over. Idempotent. Tasks that are
-- locked, or are more than the time of a batch allows, are released by the tick (task.release_orphans): many hold up neither the
-- program that registers in its place nor other rules.
create or replace function process.declare_dead(p_process_id bigint, p_reason text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until timestamptz := clock.batch_end();
    v_task record;
begin
    update ccp.processes
    set
        ended_at = clock.now(),
        end_reason = p_reason
    where id = p_process_id
        and ended_at is null;
    if not found then
        return false;
    end if;
    delete from ccp.process_samples where process_id = p_process_id;

    for v_task in
        select t.id, t.lease
        from ccp.task_rows as t
        where t.process_id = p_process_id and t.status = 'running'
        order by t.host_id, t.id
    loop
        perform task.try_release_orphan(v_task.id, v_task.lease);
        exit when clock_timestamp() > v_until;
    end loop;

    perform session.abandon(
        array(select s.id from ccp.sessions as s where s.process_id = p_process_id and s.ended_at is null), 'process_gone',
        format('a session ended because the program that held it is gone (%s)', p_reason)
    );
    return true;
end
$$;

revoke all on function process.declare_dead(bigint, text) from public;

comment on function process.declare_dead(bigint, text) is
'Declares a process dead: releases its tasks and ends its sessions; false if it was dead already.';
