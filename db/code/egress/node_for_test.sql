-- The node whose agent tests an exit: that of the host whose key the exit knows, even while its agent is away; else one with
-- a living agent, that of the exit's host before others, open ones before cordoned ones, then the one with the least to do.
-- Refused where there is no key. The caller holds the exit's row.
create or replace function egress.node_for_test(p_exit ccp.egress_ips)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host ccp.hosts;
    v_node_id bigint;
begin
    select h.*
    into v_host
    from ccp.bindings as b
    join ccp.hosts as h on h.id = b.host_id
    where b.egress_ip_id = p_exit.id
        and b.ended_at is null;
    if p_exit.tunnel_type = 'wireguard' then
        if v_host.id is not null then
            if p_exit.wg_own_public_key is null and v_host.wg_public_key is null then
                perform access.refuse(
                    'CP409', 'host_not_created',
                    format('Host %s, whose key exit %s knows, was never created.', v_host.short_id, p_exit.label),
                    jsonb_build_object('host_id', v_host.id)
                );
            end if;
            return v_host.node_id;
        end if;
        if p_exit.wg_own_public_key is null then
            perform access.refuse(
                'CP409', 'egress_ip_without_key',
                format(
                    'Exit %s cannot be tested: its WireGuard key is made for each host; bind it to one, or give it a private '
                    'key.',
                    p_exit.label
                )
            );
        end if;
    end if;
    select p.node_id
    into v_node_id
    from ccp.processes as p
    join ccp.nodes as n on n.id = p.node_id
    where p.program = 'ccp-agent'
        and p.ended_at is null
    order by
        p.node_id is distinct from v_host.node_id,
        n.cordoned_at is not null,
        (select count(*) from ccp.task_rows as t where t.queue = 'ccp_agent_' || p.node_id and t.status = 'queued'),
        p.node_id
    limit 1;
    if not found then
        perform access.refuse('CP409', 'no_node', 'no agent runs that could test an exit', '{}', 'start an agent first');
    end if;
    return v_node_id;
end
$$;

revoke all on function egress.node_for_test(ccp.egress_ips) from public;

comment on function egress.node_for_test(ccp.egress_ips) is
'The node whose agent tests an exit; refused where there is no key.';
