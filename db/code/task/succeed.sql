-- The task is done. A report that does not carry the live lease changes nothing: stale. The same report twice: ok
-- twice.
create or replace function task.succeed(p_task_id uuid, p_lease bigint, p_result jsonb)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
begin
    v_task := task.lock(p_task_id);
    if v_task.lease = p_lease then
        perform task.require_holder(v_task.process_id);
        perform task.finish(v_task, 'succeeded', null, null, null, p_result);
        return 'ok';
    end if;
    if v_task.reported_lease = p_lease and v_task.reported = 'succeeded' then
        return 'ok';
    end if;
    return 'stale';
end
$$;

revoke all on function task.succeed(uuid, bigint, jsonb) from public;
grant execute on function task.succeed(uuid, bigint, jsonb) to ccp_worker, ccp_agent;

comment on function task.succeed(uuid, bigint, jsonb) is
'The task is done: ok or stale.';
