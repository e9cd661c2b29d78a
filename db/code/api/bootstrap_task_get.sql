-- GET /v1/bootstrap/tasks/{id}: how far the start is. A long poll calls it again when access.tasks_changed() says so.
create or replace function api.bootstrap_task_get(
    p_poll_sha256 ccp.sha256,
    p_address inet,
    p_id uuid,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out answer api.bootstrap_task
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_grant record;
    v_task ccp.task_rows;
begin
    v_grant := access.grant_find(p_poll_sha256, p_address, p_id);
    verdict := v_grant.verdict;
    retry_after_s := v_grant.retry_after_s;
    sentence := v_grant.sentence;
    if verdict <> 'ok' then
        return;
    end if;
    select t.*
    into strict v_task
    from ccp.task_rows as t
    where t.id = p_id;
    answer := row(
        v_task.id,
        v_task.status,
        case when v_task.status = 'succeeded' then 'ssh_ready' else coalesce(v_task.stage, 'auth_passed') end,
        case
            when v_task.status = 'succeeded' then 'The host runs and its exit is proven.'
            when v_task.stage is null then 'Signed in; the start waits for its turn.'
            else coalesce(v_task.message, v_task.stage)
        end,
        case when v_task.status = 'succeeded' then 100 else v_task.progress end,
        v_task.error_code,
        v_task.error_message,
        v_task.retryable,
        access.task_version(v_task)
    )::api.bootstrap_task;
end
$$;

revoke all on function api.bootstrap_task_get(ccp.sha256, inet, uuid) from public;
grant execute on function api.bootstrap_task_get(ccp.sha256, inet, uuid) to ccp_api;

comment on function api.bootstrap_task_get(ccp.sha256, inet, uuid) is
'GET /v1/bootstrap/tasks/{id}: how far the start is.';
