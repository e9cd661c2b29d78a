-- A running host turned out not to hold, or a stopped one to run: it is unavailable, with the reason, and
-- reconciliation waits before it tries again. The caller holds the host's row.
create or replace function host.mark_unavailable(p_host ccp.hosts, p_code text, p_message text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update ccp.hosts
    set
        status = 'unavailable',
        failures = failures + 1,
        retry_at = host.retry_at(failures + 1, p_code),
        error_code = p_code,
        error_message = left(p_message, 2000)
    where id = p_host.id;
    perform session.end_for_host(p_host.id, 'host_unavailable');
    perform event.write(
        'reconcile.host.drift',
        format('host %s should be %s but is not: %s', p_host.short_id, p_host.status, p_message),
        p_host.user_id, p_host.id, null, jsonb_build_object('error_code', p_code)
    );
    perform event.write(
        'host.unavailable', format('host %s is unavailable: %s', p_host.short_id, p_message),
        p_host.user_id, p_host.id, null, jsonb_build_object('error_code', p_code)
    );
end
$$;

revoke all on function host.mark_unavailable(ccp.hosts, text, text) from public;

comment on function host.mark_unavailable(ccp.hosts, text, text) is
'Makes a host unavailable because it is not what it should be.';
