-- How to reach a host by ssh, or why not yet. There is a way only when the start has succeeded, the host runs and the
-- ssh proxy's own host key is known, so that the client can pin it.
create or replace function access.way_in(
    p_host_id uuid,
    p_task_id uuid,
    out verdict ccp.verdict,
    out sentence text,
    out ssh_host text,
    out ssh_port integer,
    out ssh_user text,
    out host_key text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host record;
begin
    select h.short_id, h.status, t.status as task_status, t.error_code
    into strict v_host
    from ccp.hosts as h
    join ccp.task_rows as t on t.id = p_task_id
    where h.id = p_host_id;
    ssh_host := setting.text('ssh_host');
    ssh_port := setting.number('ssh_port')::integer;
    ssh_user := v_host.short_id;
    host_key := setting.text('ssh_host_key');
    if v_host.task_status in ('failed', 'canceled') then
        verdict := 'start_failed';
        sentence := format('The host was not started: %s.', coalesce(v_host.error_code, v_host.task_status));
    elsif v_host.task_status <> 'succeeded' or v_host.status <> 'running' then
        verdict := 'ssh_not_ready';
        sentence := format('Host %s is %s.', v_host.short_id, v_host.status);
    elsif ssh_host is null or host_key is null then
        verdict := 'ssh_not_ready';
        sentence := 'The ssh proxy has not said its host key yet, or the setting ssh_host is empty.';
    else
        verdict := 'ok';
    end if;
end
$$;

revoke all on function access.way_in(uuid, uuid) from public;

comment on function access.way_in(uuid, uuid) is
'How to reach a host by ssh, or why not yet.';
