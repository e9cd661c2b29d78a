-- Reconciles every host that may need it and is not locked; forgets the failures of hosts that have been as wanted for
-- 10 minutes.
create or replace function clock.reconcile_all()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host record;
begin
    for v_host in
        select h.id, h.short_id
        from ccp.hosts as h
        left join ccp.observations as o on o.host_id = h.id
        where h.status <> 'deleted'
            and (h.retry_at is null or h.retry_at <= clock.now())
            and not exists (
                select
                from ccp.task_rows as t
                where t.host_id = h.id and t.status in ('queued', 'running')
            )
            and (
                exists (
                    select
                    from ccp.host_remedies as r
                    where r.status = h.status and r.wanted = host.wanted(h)
                )
                or host.is_drift(h.status, o.state)
            )
        order by h.id
        for no key update of h skip locked
    loop
        begin
            perform host.reconcile(v_host.id);
        exception
            when others then
                raise warning 'host % was not reconciled: %', v_host.short_id, sqlerrm;
        end;
    end loop;

    update ccp.hosts as h
    set
        failures = 0,
        retry_at = null
    where h.id = any (array(
        select s.id
        from ccp.hosts as s
        where s.failures > 0
            and s.status = host.wanted(s)
            and s.status_changed_at < clock.now() - interval '10 minutes'
        for no key update skip locked
    ));
end
$$;

revoke all on function clock.reconcile_all() from public;

comment on function clock.reconcile_all() is
'Reconciles every host that may need it and is not locked.';
