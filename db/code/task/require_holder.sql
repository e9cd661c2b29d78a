-- Refuses a report on a task that another program runs: a lease says which claim is meant, not who made it.
create or replace function task.require_holder(p_process_id bigint)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.require_program(p.program)
    from ccp.processes as p
    where p.id = p_process_id;
end
$$;

revoke all on function task.require_holder(bigint) from public;

comment on function task.require_holder(bigint) is
'Refuses a report on a task that another program runs.';
