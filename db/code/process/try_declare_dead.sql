-- process.declare_dead(), unless that fails: then a warning, and the next tick comes back to it.
create or replace function process.try_declare_dead(p_process_id bigint, p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.declare_dead(p_process_id, p_reason);
exception
    when others then
        raise warning 'process % was not declared dead: %', p_process_id, sqlerrm;
end
$$;

revoke all on function process.try_declare_dead(bigint, text) from public;

comment on function process.try_declare_dead(bigint, text) is
'Declares a process dead, or leaves it to the next tick.';
