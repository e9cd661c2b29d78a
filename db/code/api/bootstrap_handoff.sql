-- GET /v1/bootstrap/tasks/{id}/handoff: how to reach the host by ssh. Ready only when the start has succeeded, the host
-- runs and the ssh proxy's own host key is known, so that the client can pin it.
create or replace function api.bootstrap_handoff(
    p_poll_sha256 ccp.sha256,
    p_address inet,
    p_id uuid,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out answer api.handoff
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_grant record;
    v_host record;
begin
    v_grant := access.grant_find(p_poll_sha256, p_address, p_id);
    verdict := v_grant.verdict;
    retry_after_s := v_grant.retry_after_s;
    sentence := v_grant.sentence;
    if verdict <> 'ok' then
        return;
    end if;
    select h.short_id, h.status, t.status as task_status, t.error_code
    into strict v_host
    from ccp.hosts as h
    join ccp.task_rows as t on t.id = p_id
    where h.id = v_grant.host_id;
    if v_host.task_status in ('failed', 'canceled') then
        verdict := 'start_failed';
        sentence := format('The host was not started: %s.', coalesce(v_host.error_code, v_host.task_status));
    elsif v_host.task_status <> 'succeeded' or v_host.status <> 'running' then
        verdict := 'ssh_not_ready';
        sentence := format('Host %s is %s.', v_host.short_id, v_host.status);
    elsif setting.text('ssh_host') is null or setting.text('ssh_host_key') is null then
        verdict := 'ssh_not_ready';
        sentence := 'The ssh proxy has not said its host key yet, or the setting ssh_host is empty.';
    end if;
    if verdict <> 'ok' then
        retry_after_s := 1;
        return;
    end if;
    answer := row(
        true,
        setting.text('ssh_host'),
        setting.number('ssh_port')::integer,
        v_host.short_id,
        array[setting.text('ssh_host_key')],
        array['ServerAliveInterval=30', 'ServerAliveCountMax=3'],
        (select host(b.exit_address) from ccp.bindings as b where b.host_id = v_grant.host_id and b.ended_at is null)
    )::api.handoff;
end
$$;

revoke all on function api.bootstrap_handoff(ccp.sha256, inet, uuid) from public;
grant execute on function api.bootstrap_handoff(ccp.sha256, inet, uuid) to ccp_api;

comment on function api.bootstrap_handoff(ccp.sha256, inet, uuid) is
'GET /v1/bootstrap/tasks/{id}/handoff: how to reach the host by ssh, once it runs.';
