-- What an agent must know of every host on its node that is not deleted.
create or replace function node.specs(p_process_id bigint)
returns table (host_id uuid, spec jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_process ccp.processes;
begin
    v_process := process.require(p_process_id);
    return query
    select h.id, host.spec(h.id)
    from ccp.hosts as h
    where h.node_id = v_process.node_id
        and h.status <> 'deleted'
    order by h.id;
end
$$;

revoke all on function node.specs(bigint) from public;
grant execute on function node.specs(bigint) to ccp_agent;

comment on function node.specs(bigint) is
'The specification of every host on the calling agent''s node.';
