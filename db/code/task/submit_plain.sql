-- Enqueues a task that works on nothing in particular. Requests are told apart by their parameters: the same live one
-- again returns its row. Without a host's row to lock, the unique index decides, and it is asked first: a look before
-- the insert would cost every request, and with a plan made while the queue was empty it would read the whole queue. A test of an
-- exit is noted with its task; its caller holds the exit.
create or replace function task.submit_plain(p_kind ccp.task_kinds, p_params jsonb, p_idempotency_key text, p_by text)
returns ccp.task_rows
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_queue text := p_kind.queue;
    v_exit ccp.egress_ips;
    v_node_id bigint;
    v_task ccp.task_rows;
begin
    if p_kind.kind = 'egress.test' then
        v_exit := egress.find((p_params ->> 'egress_ip_id')::uuid);
        v_node_id := egress.node_for_test(v_exit);
        v_queue := v_queue || '_' || v_node_id;
    end if;
    for v_try in 1..3
    loop
        insert into ccp.task_rows as t (kind, params, queue, housekeeping, turn, idempotency_key, created_by)
        values (
            p_kind.kind, p_params, v_queue, p_kind.housekeeping, task.turn(v_queue, p_kind.kind, p_by),
            p_idempotency_key, p_by
        )
        on conflict do nothing
        returning * into v_task;
        if found then
            if v_node_id is not null then
                perform egress.begin_test(v_task, v_exit, v_node_id);
            end if;
            perform pg_notify(v_queue, '');
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
