-- Locks a host of which an agent tells something; why it may not, as the agent is answered (gone, not_yours), else null.
create or replace function host.lock_for(p_process_id bigint, p_host_id uuid)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_process ccp.processes := process.require(p_process_id);
    v_host ccp.hosts;
begin
    select h.*
    into v_host
    from ccp.hosts as h
    where h.id = p_host_id
    for no key update;
    return case
        when v_host.id is null or v_host.status = 'deleted' then 'gone'
        when v_host.node_id <> v_process.node_id then 'not_yours'
    end;
end
$$;

revoke all on function host.lock_for(bigint, uuid) from public;

comment on function host.lock_for(bigint, uuid) is
'Locks a host of which an agent tells something: null, gone or not_yours.';
