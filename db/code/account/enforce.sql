-- Ends what expired and disabled users still have: asks for the end of their sessions, rings the ssh authority, cancels
-- what nobody would claim for them any more and enqueues host.stop for what runs, without touching what they desire:
-- extending them brings everything back. user.expired is written once for each expires_at. A user or host that somebody else holds is left for the next tick.
create or replace function account.enforce()
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user record;
    v_host record;
    v_task ccp.task_rows;
    v_done integer := 0;
begin
    for v_user in
        select
            u.id, u.username, u.expires_at, u.expiry_announced_at,
            account.state(u.disabled_at, u.expires_at) as state
        from ccp.users as u
        where (u.disabled_at is not null or u.expires_at <= clock.now())
            and (
                (u.expires_at <= clock.now() and u.expiry_announced_at is null)
                or exists (
                    select
                    from ccp.sessions as s
                    where s.user_id = u.id and s.ended_at is null and s.end_requested_at is null
                )
                or exists (
                    select
                    from ccp.hosts as h
                    where h.user_id = u.id and h.status in ('starting', 'running', 'rebuilding')
                )
            )
        order by u.id
        for no key update skip locked
    loop
        if v_user.expires_at <= clock.now() and v_user.expiry_announced_at is null then
            update ccp.users
            set expiry_announced_at = clock.now()
            where id = v_user.id;
            perform event.write(
                'warning', 'user.expired', format('the account of %s has expired', v_user.username), v_user.id
            );
        end if;

        update ccp.sessions
        set
            end_requested_at = clock.now(),
            end_reason = v_user.state
        where user_id = v_user.id
            and ended_at is null
            and end_requested_at is null;
        if found then
            perform pg_notify('ccp_sshproxy', '');
        end if;

        for v_host in
            select h.id, h.short_id
            from ccp.hosts as h
            where h.user_id = v_user.id
                and h.status in ('starting', 'running', 'rebuilding')
                and not exists (
                    select
                    from ccp.task_rows as t
                    join ccp.task_kinds as k on k.kind = t.kind
                    where t.host_id = h.id
                        and t.status in ('queued', 'running')
                        and 'host.stop' <> all (k.superseded_by)
                        and not (t.status = 'queued' and t.needs_active_user)
                )
            order by h.id
            for no key update skip locked
        loop
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
                    v_task, 'canceled', 'account_' || v_user.state, format('its user is %s', v_user.state)
                );
            elsif v_task.id is not null then
                perform task.finish(
                    v_task, 'canceled', 'account_' || v_user.state, format('its user is %s', v_user.state)
                );
            end if;
            v_task := task.submit('host.stop', v_host.id, '{}', null, 'expiry');
            perform event.write(
                'warning', 'host.stop.expired',
                format('host %s is stopped because its user is %s', v_host.short_id, v_user.state),
                v_user.id, v_host.id, v_task.id
            );
        end loop;
        v_done := v_done + 1;
    end loop;
    return v_done;
end
$$;

revoke all on function account.enforce() from public;

comment on function account.enforce() is
'Ends the sessions and stops the hosts of expired and disabled users; returns how many users it dealt with.';
