-- A rule of the tick: stops hosts that nobody has been in for as long as they allow (host.idle_minutes), says so, and desires
-- them stopped, so that they stay so until somebody starts them. A host with a live task waits for the next tick, and so does,
-- with a warning, one for which something fails; locked ones are left out. Returns the last id if there may be more, else null.
create or replace function host.stop_idle(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_setting constant integer := setting.number('idle_stop_minutes');
    v_host record;
    v_task ccp.task_rows;
    v_count integer := 0;
begin
    for v_host in
        select h.id, h.short_id, h.user_id, m.minutes
        from ccp.hosts as h
        join ccp.users as u on u.id = h.user_id
        cross join lateral (select host.idle_minutes(h.idle_stop_minutes, u.idle_stop_minutes, v_setting) as minutes) as m
        where h.status = 'running'
            and h.desired = 'running'
            and h.status_changed_at <= clock.now() - make_interval(mins => m.minutes)
            and host.idle_since(h.id, h.status_changed_at) <= clock.now() - make_interval(mins => m.minutes)
            and not exists (
                select
                from ccp.task_rows as t
                where t.host_id = h.id and t.status in ('queued', 'running')
            )
            and (p_after is null or h.id > p_after)
        order by h.id
        limit p_limit
        for no key update of h skip locked
    loop
        v_count := v_count + 1;
        begin
            update ccp.hosts
            set desired = 'stopped'
            where id = v_host.id;
            perform session.end_for_host(v_host.id, 'host_idle');
            v_task := task.submit('host.stop', v_host.id, '{}', null, 'idle');
            perform event.write(
                'host.stop.idle',
                format('host %s is stopped: nobody has been in it for %s minutes', v_host.short_id, v_host.minutes),
                v_host.user_id, v_host.id, v_task.id
            );
        exception
            when others then
                raise warning 'host %, which is idle, was not stopped: %', v_host.short_id, sqlerrm;
        end;
        if v_count = p_limit then
            return v_host.id;
        end if;
    end loop;
    return null;
end
$$;

revoke all on function host.stop_idle(uuid, integer) from public;

comment on function host.stop_idle(uuid, integer) is
'Stops a batch of hosts that nobody has been in for long; returns where the next one begins.';
