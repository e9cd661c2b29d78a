-- Stores evidence, with the agent's own time (at most four weeks back, never ahead), and writes what it means into the audit
-- log: a failure once until the host passes, and once that a lost tunnel is back. Moves no host: host.observe() and the task's
-- report do. What a host.switch proves is the exit that it moves the host to, and what is found of an exit is noted there. An
-- agent that got no answer sends the same again: it gets the id of the row that is there.
create or replace function verification.record(
    p_process_id bigint,
    p_host_id uuid,
    p_task_id uuid,
    p_kind text,
    p_outcome text,
    p_error_code text,
    p_observed_ip inet,
    p_checks jsonb,
    p_duration_ms integer,
    p_at timestamptz
)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_process ccp.processes;
    v_host record;
    v_at timestamptz := least(greatest(p_at, clock.now() - interval '28 days'), clock.now());
    v_type text;
    v_id bigint;
begin
    v_process := process.require(p_process_id);
    select h.id, h.user_id, h.node_id, h.short_id, e.id as egress_ip_id, e.label as exit_label,
        e.ip_address as exit_address
    into v_host
    from ccp.hosts as h
    left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
    left join ccp.task_rows as t on t.id = p_task_id and t.kind = 'host.switch'
    left join ccp.egress_ips as e on e.id = coalesce((t.params ->> 'egress_ip_id')::uuid, b.egress_ip_id)
    where h.id = p_host_id;
    if not found then
        perform access.refuse(
            'CP404', 'host_not_found', 'there is no such host', jsonb_build_object('host_id', p_host_id), ''
        );
    end if;
    if v_host.node_id <> v_process.node_id then
        perform access.refuse(
            'CP403', 'not_your_host', format('host %s lives on another node', v_host.short_id),
            jsonb_build_object('host_id', p_host_id), 'its own node''s agent proves it'
        );
    end if;
    select v.id
    into v_id
    from ccp.verifications as v
    where v.host_id = p_host_id
        and v.at = v_at
        and (v.process_id, v.kind, v.outcome) = (p_process_id, p_kind, p_outcome)
        and v.error_code is not distinct from p_error_code
        and v.checks = p_checks;
    if found then
        return v_id;
    end if;
    v_type := case p_outcome when 'failed' then verification.event_type(p_error_code) when 'passed' then 'tunnel.restored' end;
    -- A failure is told unless it was, a return if the loss was.
    if verification.is_told(p_host_id, case v_type when 'tunnel.restored' then 'tunnel.lost' else v_type end)
        <> (v_type = 'tunnel.restored')
    then
        v_type := null;
    end if;

    insert into ccp.verifications (
        at, host_id, user_id, task_id, process_id, kind, outcome, error_code, egress_ip_id, exit_label, expected_ip, observed_ip,
        checks, duration_ms
    )
    values (
        v_at, p_host_id, v_host.user_id, p_task_id, p_process_id, p_kind, p_outcome, p_error_code,
        v_host.egress_ip_id, v_host.exit_label, v_host.exit_address, p_observed_ip, p_checks, p_duration_ms
    )
    returning id into v_id;
    if p_outcome = 'failed' then
        insert into ccp.observations as o (host_id, process_id, sequence, state, observed_at, failed_at)
        values (p_host_id, p_process_id, 0, 'unknown', v_at, v_at)
        on conflict (host_id) do update set failed_at = greatest(o.failed_at, excluded.failed_at)
        where (o.proven_at >= excluded.failed_at) is not true;
    end if;

    if v_type is not null then
        perform event.write(
            v_type,
            case v_type
                when 'egress.mismatch' then format(
                    'host %s left as %s, not as %s', v_host.short_id,
                    coalesce(host(p_observed_ip), 'an unknown address'), coalesce(host(v_host.exit_address), 'any known exit')
                )
                when 'egress.leak_blocked' then
                    format('host %s was closed: its wall did not hold (%s)', v_host.short_id, p_error_code)
                when 'tunnel.lost' then format('the tunnel of host %s is gone', v_host.short_id)
                else format('the tunnel of host %s is back', v_host.short_id)
            end,
            v_host.user_id, p_host_id, p_task_id,
            jsonb_build_object('verification_id', v_id, 'error_code', p_error_code)
        );
    end if;
    if verification.is_of_exit(p_error_code) then
        perform egress.note_state(v_host.egress_ip_id);
    end if;
    return v_id;
end
$$;

revoke all on function verification.record(bigint, uuid, uuid, text, text, text, inet, jsonb, integer, timestamptz) from public;
grant execute on function verification.record(
    bigint, uuid, uuid, text, text, text, inet, jsonb, integer, timestamptz
) to ccp_agent;

comment on function verification.record(bigint, uuid, uuid, text, text, text, inet, jsonb, integer, timestamptz) is
'Stores evidence of one verification and writes what it means into the audit log; returns its id.';
