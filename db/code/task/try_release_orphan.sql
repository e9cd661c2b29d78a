-- task.release_orphan(), unless that fails or the host or the task stays locked: then a warning, and the task stays as
-- it is until the next tick, which releases the tasks of dead processes. So a lock on one host keeps no program from
-- registering and beating, and no rule from being applied to the others.
create or replace function task.try_release_orphan(p_task_id uuid, p_lease bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '200ms'
as $$
begin
    perform task.release_orphan(p_task_id, p_lease);
exception
    when others then
        raise warning 'task % was not taken from its process: %', p_task_id, sqlerrm;
end
$$;

revoke all on function task.try_release_orphan(uuid, bigint) from public;

comment on function task.try_release_orphan(uuid, bigint) is
'Releases a task that has lost its process; if its host is locked the next tick does.';
