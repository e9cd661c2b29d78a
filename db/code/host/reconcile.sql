-- Closes the difference between what a host is and what is wanted of it. Locks the host; does nothing while it has a
-- live task. Drift, that is what the agent saw since the last task ended and does not fit the status, makes the host
-- unavailable, which waits like any failure. Else the remedy for (wanted, status), unless it has to wait after failures
-- or has no exit to start with. A host whose creation has only failed is created first. One that runs as wanted with what its
-- exit was before somebody changed it is moved to what that is now. That one is stopped whose owner desires
-- otherwise is told. Returns the task it enqueued, or null; it raises no refusal.
create or replace function host.reconcile(p_host_id uuid)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host ccp.hosts;
    v_kind text;
    v_params jsonb;
    v_task ccp.task_rows;
begin
    select h.*
    into v_host
    from ccp.hosts as h
    where h.id = p_host_id
    for no key update;
    if exists (
        select
        from ccp.task_rows as t
        where t.host_id = p_host_id and t.status in ('queued', 'running')
    ) then
        return null;
    end if;

    if host.note_drift(v_host) then
        return null;
    end if;

    select case when k.needs_creation and v_host.wg_public_key is null then 'host.create' else k.kind end
    into v_kind
    from ccp.host_remedies as r
    join ccp.task_kinds as k on k.kind = r.kind
    where r.wanted = host.wanted(v_host)
        and r.status = v_host.status;
    if v_host.status = 'running' and host.wanted(v_host) = 'running' then
        select 'host.switch', jsonb_build_object('egress_ip_id', b.egress_ip_id)
        into v_kind, v_params
        from ccp.bindings as b
        where b.host_id = p_host_id
            and b.ended_at is null
            and b.outdated;
    end if;
    if v_kind is null
        or v_host.retry_at > clock.now()
        or (v_kind = 'host.start' and not exists (
            select
            from ccp.bindings as b
            where b.host_id = p_host_id and b.ended_at is null
        ))
    then
        return null;
    end if;
    begin
        v_task := task.submit(v_kind, p_host_id, coalesce(v_params, (
            -- As it was last asked for: a deletion that was to remove the home still is.
            select l.params
            from ccp.task_rows as l
            where l.host_id = p_host_id and l.kind = v_kind
            order by l.created_at desc
            limit 1
        )), null, 'reconcile');
    exception
        when others then
            -- A refusal must not fail the caller, which may be ending another task.
            if sqlstate not like 'CP%' then
                raise;
            end if;
            raise warning 'host % was not reconciled: %', v_host.short_id, sqlerrm;
    end;
    if v_task.kind = 'host.stop' and v_host.status = 'running' and v_host.desired = 'running' then
        perform host.tell_stop(v_host, v_task.id);
    end if;
    return v_task.id;
end
$$;

revoke all on function host.reconcile(uuid) from public;

comment on function host.reconcile(uuid) is
'Enqueues the task that brings a host to what is wanted of it, if there is one to do now; returns its id.';
