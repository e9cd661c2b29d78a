-- Registers a program that has just started. The caller holds the program's lock on its machine, which proves every
-- earlier process of it dead: they are declared dead here, so their tasks go on at once. Locks the node, so that
-- concurrent calls run one after the other.
create or replace function process.register(p_program text, p_node text, p_pid integer, p_version text)
returns table (process_id bigint, node_id bigint, queue text, cluster text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_node_id bigint;
    v_earlier bigint;
begin
    perform process.require_program(p_program);
    insert into ccp.nodes (name)
    values (p_node)
    on conflict (name) do nothing;
    select n.id
    into strict v_node_id
    from ccp.nodes as n
    where n.name = p_node
    for no key update;

    for v_earlier in
        select p.id
        from ccp.processes as p
        where p.program = p_program and p.node_id = v_node_id and p.ended_at is null
    loop
        perform process.declare_dead(v_earlier, 'replaced');
    end loop;

    return query
    insert into ccp.processes as p (program, node_id, queue, pid, version)
    values (
        p_program, v_node_id,
        case p_program
            when 'ccp-agent' then 'ccp_agent_' || v_node_id
            when 'ccp-worker' then 'ccp_worker'
            when 'ccp-sshproxy' then 'ccp_sshproxy'
            else 'ccp_event'
        end,
        p_pid, p_version
    )
    returning
        p.id,
        p.node_id,
        p.queue,
        (select c.system_identifier::text from pg_control_system() as c) || '/' || current_database();
end
$$;

revoke all on function process.register(text, text, integer, text) from public;
grant execute on function process.register(text, text, integer, text) to ccp_api, ccp_worker, ccp_agent, ccp_sshproxy;

comment on function process.register(text, text, integer, text) is
'Registers a started program under its lock, declares its predecessors dead and names its queue.';
