-- What an agent found out about its machine: why its Docker engine gives containers no user namespaces (null: it does),
-- which of the ids that hosts may get belong to somebody there, and the kernel's limits. Writes only what differs, so that
-- it can be said as often as the agent likes.
create or replace function node.report(
    p_process_id bigint,
    p_engine_refusal text,
    p_taken_ids int8multirange,
    p_limits jsonb
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_process ccp.processes;
begin
    v_process := process.require(p_process_id);
    update ccp.nodes
    set
        engine_refusal = left(p_engine_refusal, 2000),
        taken_ids = coalesce(p_taken_ids, '{}'),
        limits = coalesce(p_limits, '{}')
    where id = v_process.node_id
        and (engine_refusal, taken_ids, limits)
        is distinct from (left(p_engine_refusal, 2000), coalesce(p_taken_ids, '{}'), coalesce(p_limits, '{}'));
end
$$;

revoke all on function node.report(bigint, text, int8multirange, jsonb) from public;
grant execute on function node.report(bigint, text, int8multirange, jsonb) to ccp_agent;

comment on function node.report(bigint, text, int8multirange, jsonb) is
'What an agent found out about its machine: engine, ids that are taken, limits.';
