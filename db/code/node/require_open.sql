-- Refuses (CP409) what would start a host on a node that is drained: its owner learns at once why it does not run.
create or replace function node.require_open(p_host ccp.hosts)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from ccp.nodes as n where n.id = p_host.node_id and n.drained_at is not null) then
        perform access.refuse(
            'CP409', 'node_drained', host.refusal(p_host), jsonb_build_object('host_id', p_host.id), ''
        );
    end if;
end
$$;

revoke all on function node.require_open(ccp.hosts) from public;

comment on function node.require_open(ccp.hosts) is
'Refuses to start a host on a node that is drained.';
