-- Enqueues host.stop for the running hosts of an expired or disabled user, and cancels their tasks that can no longer
-- be claimed: of 100 hosts, the others' turn comes with the next tick. Locked hosts are left for it too, and so is, with a
-- warning, a host for which something fails; in any order, so that none of these keeps another waiting.
create or replace function account.stop_hosts(p_user_id uuid, p_state text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host ccp.hosts;
    v_task ccp.task_rows;
begin
    for v_host in
        select h.*
        from ccp.hosts as h
        where h.user_id = p_user_id
            and h.status in ('starting', 'running', 'switching', 'rebuilding')
            and not exists (
                select
                from ccp.task_rows as t
                join ccp.task_kinds as k on k.kind = t.kind
                where t.host_id = h.id
                    and t.status in ('queued', 'running')
                    and 'host.stop' <> all (k.superseded_by)
                    and not (t.status = 'queued' and t.needs_active_user)
            )
        order by random()
        limit 100
        for no key update skip locked
    loop
        begin
            select t.*
            into v_task
            from ccp.task_rows as t
            join ccp.task_kinds as k on k.kind = t.kind
            where t.host_id = v_host.id
                and t.status = 'queued'
                and 'host.stop' <> all (k.superseded_by)
            for no key update of t;
            -- The host's next task takes the host along; one that waits behind another leaves it to that one.
            if found and exists (
                select
                from ccp.task_rows as t
                where t.host_id = v_host.id and t.status = 'running'
            ) then
                perform task.end_row(
                    v_task, 'canceled', 'account_' || p_state, format('its user is %s', p_state)
                );
            elsif v_task.id is not null then
                perform task.finish(
                    v_task, 'canceled', 'account_' || p_state, format('its user is %s', p_state)
                );
            end if;
            v_task := task.submit('host.stop', v_host.id, '{}', null, 'expiry');
            perform host.tell_stop(v_host, v_task.id);
        exception
            when others then
                raise warning 'host %, whose user is %, was not stopped: %', v_host.short_id, p_state, sqlerrm;
        end;
    end loop;
end
$$;

revoke all on function account.stop_hosts(uuid, text) from public;

comment on function account.stop_hosts(uuid, text) is
'Enqueues host.stop for what runs of an expired or disabled user.';
