-- GET /v1/bootstrap/tasks/{id}/handoff: how to reach the host by ssh, once there is a way (access.way_in).
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
    v_way record;
begin
    v_grant := access.grant_find(p_poll_sha256, p_address, p_id);
    verdict := v_grant.verdict;
    retry_after_s := v_grant.retry_after_s;
    sentence := v_grant.sentence;
    if verdict <> 'ok' then
        return;
    end if;
    v_way := access.way_in(v_grant.host_id, p_id);
    verdict := v_way.verdict;
    sentence := v_way.sentence;
    if verdict <> 'ok' then
        retry_after_s := 1;
        return;
    end if;
    answer := row(
        true,
        v_way.ssh_host,
        v_way.ssh_port,
        v_way.ssh_user,
        array[v_way.host_key],
        array['ServerAliveInterval=30', 'ServerAliveCountMax=3'],
        (select host(b.exit_address) from ccp.bindings as b where b.host_id = v_grant.host_id and b.ended_at is null)
    )::api.handoff;
end
$$;

revoke all on function api.bootstrap_handoff(ccp.sha256, inet, uuid) from public;
grant execute on function api.bootstrap_handoff(ccp.sha256, inet, uuid) to ccp_api;

comment on function api.bootstrap_handoff(ccp.sha256, inet, uuid) is
'GET /v1/bootstrap/tasks/{id}/handoff: how to reach the host by ssh, once it runs.';
