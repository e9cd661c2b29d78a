-- Trigger, for rows that are not at the beginning of their life: refuses them.
create or replace function task.guard_insert()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.refuse(
        'CP409', 'step_not_allowed', format('a task does not begin as %s', new.status),
        jsonb_build_object('to', new.status), 'insert into ccp.tasks (kind, host_id) values (...)'
    );
    return null;
end
$$;

revoke all on function task.guard_insert() from public;

comment on function task.guard_insert() is
'Trigger: a task begins queued, or succeeded if nothing was left to do.';
