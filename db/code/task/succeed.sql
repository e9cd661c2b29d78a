-- The task is done. A report that does not carry the live lease changes nothing: stale. The same report twice: ok
-- twice.
create or replace function task.succeed(
    p_task_id uuid,
    p_lease bigint,
    p_result jsonb,
    p_left_state text default null,
    p_sequence bigint default null
)
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
        v_task.left_state := task.note_left(v_task, p_left_state, p_sequence);
        perform task.finish(v_task, 'succeeded', null, null, null, p_result);
        return 'ok';
    end if;
    if v_task.reported_lease = p_lease and v_task.reported = 'succeeded' then
        return 'ok';
    end if;
    return 'stale';
end
$$;

revoke all on function task.succeed(uuid, bigint, jsonb, text, bigint) from public;
grant execute on function task.succeed(uuid, bigint, jsonb, text, bigint) to ccp_worker, ccp_agent;

comment on function task.succeed(uuid, bigint, jsonb, text, bigint) is
'The task is done: ok or stale.';
