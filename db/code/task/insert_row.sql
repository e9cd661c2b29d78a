-- Inserts a task's row; a row with the same idempotency key that another session committed meanwhile is refused.
create or replace function task.insert_row(
    p_kind ccp.task_kinds,
    p_host ccp.hosts,
    p_params jsonb,
    p_idempotency_key text,
    p_by text,
    p_done boolean
)
returns ccp.task_rows
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_queue text := p_kind.queue || case p_kind.queue when 'ccp_agent' then '_' || p_host.node_id else '' end;
    v_task ccp.task_rows;
begin
    insert into ccp.task_rows as t (
        kind, host_id, user_id, params, status, queue, housekeeping, turn, needs_active_user, idempotency_key, created_by,
        finished_at, message
    )
    values (
        p_kind.kind, p_host.id, p_host.user_id, p_params,
        case when p_done then 'succeeded' else 'queued' end,
        v_queue, p_kind.housekeeping, task.turn(v_queue, p_kind.kind, p_by), p_kind.needs_active_user, p_idempotency_key, p_by,
        case when p_done then clock.now() end,
        case when p_done then task.nothing_to_do(p_host) end
    )
    on conflict (created_by, idempotency_key) where idempotency_key is not null do nothing
    returning * into v_task;
    if not found then
        perform access.refuse(
            'CP409', 'idempotency_key_reused', 'another session has just used this idempotency key',
            '{}', 'ask again'
        );
    end if;
    return v_task;
end
$$;

revoke all on function task.insert_row(ccp.task_kinds, ccp.hosts, jsonb, text, text, boolean) from public;

comment on function task.insert_row(ccp.task_kinds, ccp.hosts, jsonb, text, text, boolean) is
'Inserts a task''s row, queued or done already.';
