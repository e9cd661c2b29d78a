-- Tasks past their deadline are asked to stop; a process that has still not stopped one at task.overdue_limit() is declared
-- dead. Tasks whose process is dead, because they were locked when it was declared dead or were claimed just then, are
-- released: in any order, so that one that stays locked keeps no other waiting.
create or replace function clock.enforce_deadlines()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until timestamptz := clock.batch_end();
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

    for v_row in
        select t.id, t.lease
        from ccp.task_rows as t
        join ccp.processes as p on p.id = t.process_id
        where t.status = 'running' and p.ended_at is not null
        order by random()
    loop
        perform task.try_release_orphan(v_row.id, v_row.lease);
        exit when clock_timestamp() > v_until;
    end loop;
end
$$;

revoke all on function clock.enforce_deadlines() from public;

comment on function clock.enforce_deadlines() is
'Asks tasks past their deadline to stop, declares processes dead that do not, and releases the tasks of the dead.';
