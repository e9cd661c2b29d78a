-- Trigger on tasks, which are listed and shown by their host. Each step of each task comes by here, one row at a time. It has
-- the rights of its caller, who owns tasks and changes, or could not write the tasks: to take others costs more than its call.
-- That a task of no host goes on is quiet: commits that ring wait for each other, which was most of what such tasks paid here.
create or replace function live.note_task()
returns trigger
language plpgsql
as $$
begin
    insert into ccp.changes (noun, row_id, host_id, user_id, rings)
    values (
        'tasks', coalesce(new.id, old.id), coalesce(new.host_id, old.host_id), coalesce(new.user_id, old.user_id),
        (new.status = 'running' and new.host_id is null and new.stop_requested_at is null) is not true
    );
    return null;
end
$$;

revoke all on function live.note_task() from public;

comment on function live.note_task() is
'Trigger: notes a task that was written.';
