-- Something keeps people out of a running host (a message), or does not any more (null). What is new and what is over is
-- an event; the same again changes nothing but the message. The caller holds the host's row, or does not care who is first.
create or replace function host.ssh_fault(p_host ccp.hosts, p_what text, p_message text, p_at timestamptz)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before timestamptz;
begin
    delete from ccp.ssh_faults as f
    where f.host_id = p_host.id
        and f.what = p_what
        and (p_message is null or f.since < p_host.status_changed_at)
    returning f.since into v_before;
    if p_message is null then
        if v_before >= p_host.status_changed_at then
            perform event.write(
                'host.ssh.answers',
                format('ssh of host %s answers again, after %s', p_host.short_id, clock.span(clock.now() - v_before)),
                p_host.user_id, p_host.id
            );
        end if;
        return;
    end if;
    insert into ccp.ssh_faults as f (host_id, what, user_id, since, message)
    values (
        p_host.id, p_what, p_host.user_id, greatest(least(p_at, clock.now()), p_host.status_changed_at),
        left(p_message, 2000)
    )
    on conflict (host_id, what) do update set message = excluded.message
    returning case when f.xmax = 0 then null else f.since end into v_before;
    if v_before is null then
        perform event.write(
            'host.ssh.silent', format('ssh of host %s does not answer: %s', p_host.short_id, p_message),
            p_host.user_id, p_host.id, null, jsonb_build_object('what', p_what)
        );
    end if;
end
$$;

revoke all on function host.ssh_fault(ccp.hosts, text, text, timestamptz) from public;

comment on function host.ssh_fault(ccp.hosts, text, text, timestamptz) is
'Notes that something keeps people out of a running host, or (null) does not any more.';
