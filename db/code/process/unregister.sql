-- A clean stop: what the process still holds is released as if it had died.
create or replace function process.unregister(p_process_id bigint)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.require(p_process_id);
    perform process.declare_dead(p_process_id, 'stopped');
end
$$;

revoke all on function process.unregister(bigint) from public;
grant execute on function process.unregister(bigint) to ccp_api, ccp_worker, ccp_agent, ccp_sshproxy;

comment on function process.unregister(bigint) is
'A clean stop of a registered program.';
