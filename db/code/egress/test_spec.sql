-- What an agent needs to test an exit; null: there is none any more. A WireGuard exit that is bound is tested with the key of
-- that host, whose own tunnel has it while it runs. `refusal`: why the node's agent must not run programs as the users of tests.
create or replace function egress.test_spec(p_process_id bigint, p_egress_ip_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_process ccp.processes := process.require(p_process_id);
begin
    return (
        select jsonb_build_object(
            'exit', egress.describe(e),
            'host_id', case e.tunnel_type
                when 'wireguard' then (
                    select b.host_id from ccp.bindings as b where b.egress_ip_id = e.id and b.ended_at is null
                )
            end,
            'refusal', case
                when n.taken_ids && int8range(2147475452, 2147475460) then format(
                    'some of the user ids 2147475452 to 2147475459, which are those of tests of exits, belong to an account on '
                    '%s or are in /etc/subuid or /etc/subgid there: move those',
                    n.name
                )
            end,
            'tunnel', jsonb_build_object('cpu_limit', 1, 'memory_limit_mb', setting.get('tunnel_memory_mb')),
            'verify', verification.settings()
        )
        from ccp.egress_ips as e
        join ccp.nodes as n on n.id = v_process.node_id
        where e.id = p_egress_ip_id
    );
end
$$;

revoke all on function egress.test_spec(bigint, uuid) from public;
grant execute on function egress.test_spec(bigint, uuid) to ccp_agent;

comment on function egress.test_spec(bigint, uuid) is
'What an agent needs to test an exit.';
