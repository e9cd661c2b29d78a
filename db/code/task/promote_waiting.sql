-- The task before it has ended: a waiting task becomes its host's next. If there is nothing left to do it has
-- succeeded unclaimed; if it cannot begin from where the host is now, or needs a host that could not be created, it has
-- failed. The caller holds both rows.
create or replace function task.promote_waiting(p_task ccp.task_rows, p_host ccp.hosts)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_kind ccp.task_kinds;
    v_not_created boolean;
    v_code text;
    v_message text;
begin
    select k.* into v_kind from ccp.task_kinds as k where k.kind = p_task.kind;
    v_not_created := v_kind.needs_creation and p_host.wg_public_key is null;
    if p_host.status = any (v_kind.from_statuses) and not v_not_created then
        perform task.begin_next(p_host, v_kind);
        perform pg_notify(p_task.queue, '');
        return;
    end if;
    if p_host.status = v_kind.done_status and not v_not_created then
        update ccp.task_rows
        set message = task.nothing_to_do(p_host)
        where id = p_task.id;
        perform task.end_row(p_task, 'succeeded', null, null);
    else
        v_code := case when v_not_created then 'host_not_created' else 'step_not_allowed' end;
        v_message := format(
            '%s is not possible: the host %s', p_task.kind,
            case when v_not_created then 'was never created' else 'is ' || p_host.status end
        );
        perform task.end_row(p_task, 'failed', v_code, v_message);
        perform task.write_events(p_task, p_host, 'failed', v_code, v_message);
    end if;
    perform host.reconcile(p_host.id);
end
$$;

revoke all on function task.promote_waiting(ccp.task_rows, ccp.hosts) from public;

comment on function task.promote_waiting(ccp.task_rows, ccp.hosts) is
'A waiting task becomes its host''s next.';
