-- The task before it has ended: a waiting task becomes its host's next. If there is nothing left to do it has
-- succeeded unclaimed; if it cannot begin from where the host is now it has failed. The caller holds both rows.
create or replace function task.take_turn(p_task ccp.task_rows, p_host ccp.hosts)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_kind ccp.task_kinds;
begin
    select k.* into v_kind from ccp.task_kinds as k where k.kind = p_task.kind;
    if p_host.status = any (v_kind.from_statuses) then
        perform task.begin_next(p_host, v_kind);
        perform pg_notify(p_task.queue, '');
        return;
    end if;
    if p_host.status = task.done_status(v_kind, p_host) then
        perform task.end_row(p_task, 'succeeded', null, null);
    else
        perform task.end_row(
            p_task, 'failed', 'step_not_allowed', format('%s is not possible: the host is %s', p_task.kind, p_host.status)
        );
    end if;
    perform host.reconcile(p_host.id);
end
$$;

revoke all on function task.take_turn(ccp.task_rows, ccp.hosts) from public;

comment on function task.take_turn(ccp.task_rows, ccp.hosts) is
'A waiting task becomes its host''s next.';
