-- Tasks past their deadline are asked to stop; a process that has still not stopped one at task.overdue_limit() is declared
-- dead. What it leaves is task.release_orphans()'s.
create or replace function clock.enforce_deadlines()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row record;
begin
    for v_row in
        update ccp.task_rows as t
        set
            stop_requested_at = clock.now(),
            stop_reason = 'deadline'
        where t.id = any (array(
            select d.id
            from ccp.task_rows as d
            where d.status = 'running'
                and d.deadline_at < clock.now()
                and d.stop_requested_at is null
            for no key update skip locked
        ))
        returning t.queue
    loop
        perform pg_notify(v_row.queue, '');
    end loop;

    for v_row in
        select distinct t.process_id
        from ccp.task_rows as t
        where t.status = 'running'
            and t.deadline_at < clock.now() - task.overdue_limit()
            and t.stop_requested_at < clock.now() - task.overdue_limit()
    loop
        perform process.try_declare_dead(v_row.process_id, 'overdue');
    end loop;
end
$$;

revoke all on function clock.enforce_deadlines() from public;

comment on function clock.enforce_deadlines() is
'Asks tasks past their deadline to stop and declares processes dead that do not.';
