-- The live row of the calling process. A program may act only for processes of its own kind (people and tests for any).
-- One that was declared dead gets CP401 and must exit.
create or replace function process.require(p_process_id bigint)
returns ccp.processes
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_process ccp.processes;
begin
    select p.*
    into v_process
    from ccp.processes as p
    where p.id = p_process_id
        and p.ended_at is null;
    if not found then
        perform access.refuse(
            'CP401', 'process_unknown', format('process %s is not registered, or was declared dead', p_process_id),
            jsonb_build_object('process_id', p_process_id), 'exit and register again'
        );
    end if;
    perform process.require_program(v_process.program);
    return v_process;
end
$$;

revoke all on function process.require(bigint) from public;

comment on function process.require(bigint) is
'The live row of the process that calls; refuses the dead and those of another program.';
