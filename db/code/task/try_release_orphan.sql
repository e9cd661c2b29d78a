-- task.release_orphan(), unless that fails or somebody holds the host or the task for longer than a moment: then a warning, and the
-- task stays as it is for the next tick, which releases what belongs to the dead. So nobody who holds one host keeps
-- a program from registering and beating, or the rules from being kept for all others.
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
'A task has lost its process, unless somebody holds its host: the next tick comes back to it.';
