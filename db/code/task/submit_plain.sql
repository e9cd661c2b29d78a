-- Enqueues a task that works on nothing in particular. Requests are told apart by their parameters: the same live one
-- again returns its row. Without a host's row to lock, the unique index decides, and it is asked first: a look before
-- the insert would cost every request, and with a plan made while the queue was empty it would read the whole queue.
create or replace function task.submit_plain(p_kind ccp.task_kinds, p_params jsonb, p_idempotency_key text, p_by text)
returns ccp.task_rows
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
begin
    for v_try in 1..3
    loop
        insert into ccp.task_rows as t (kind, params, queue, housekeeping, turn, idempotency_key, created_by)
        values (
            p_kind.kind, p_params, p_kind.queue, p_kind.housekeeping, task.turn(p_kind.queue, p_kind.kind, p_by),
            p_idempotency_key, p_by
        )
        on conflict do nothing
        returning * into v_task;
        if found then
            perform pg_notify(p_kind.queue, '');
            return v_task;
        end if;
        select t.*
        into v_task
        from ccp.task_rows as t
        where t.kind = p_kind.kind
            and md5(t.params::text) = md5(p_params::text)
            and t.host_id is null
            and t.status in ('queued', 'running')
            and t.stop_requested_at is null;
        if found then
            return task.keep_key(v_task, p_idempotency_key, p_by);
        end if;
    end loop;
    perform access.refuse(
        'CP409', 'task_busy', format('the same %s is being enqueued by others', p_kind.kind),
        jsonb_build_object('kind', p_kind.kind), 'ask again'
    );
    return null;
end
$$;

revoke all on function task.submit_plain(ccp.task_kinds, jsonb, text, text) from public;

comment on function task.submit_plain(ccp.task_kinds, jsonb, text, text) is
'Enqueues a task without a host.';
