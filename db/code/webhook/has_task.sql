-- Whether a task delivers for a webhook: one that waits or runs, also one that was asked to stop and has not yet.
create or replace function webhook.has_task(p_params jsonb)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from ccp.task_rows as t
        where t.kind = 'webhook.deliver'
            and md5(t.params::text) = md5(p_params::text)
            and t.host_id is null
            and t.status in ('queued', 'running')
            and t.stop_requested_at is null
    ) or exists (
        select
        from ccp.task_rows as t
        where t.status = 'running'
            and t.kind = 'webhook.deliver'
            and t.params::jsonb = p_params
    )
$$;

revoke all on function webhook.has_task(jsonb) from public;

comment on function webhook.has_task(jsonb) is
'Whether a task delivers for a webhook.';
