-- Whether another task waits for the same host, so that this one cannot go back into the queue.
create or replace function task.has_follower(p_task ccp.task_rows)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_task.host_id is not null then exists (
            select
            from ccp.task_rows as t
            where t.host_id = p_task.host_id
                and t.status in ('queued', 'running')
                and t.id <> p_task.id
        )
        else exists (
            select
            from ccp.task_rows as t
            where t.kind = p_task.kind
                and md5(t.params::text) = md5(p_task.params::text)
                and t.host_id is null
                and t.status in ('queued', 'running')
                and t.stop_requested_at is null
                and t.id <> p_task.id
        )
    end
$$;

revoke all on function task.has_follower(ccp.task_rows) from public;

comment on function task.has_follower(ccp.task_rows) is
'Whether another task waits in this one''s place in the queue.';
