-- Ends what expired and disabled users still have: asks for the end of their sessions, rings the ssh proxy, cancels
-- tasks that can no longer be claimed and enqueues host.stop for running hosts. The desired state stays: extending the
-- account brings everything back. user.expired is written once for each expires_at. Locked users and hosts are left for
-- the next tick, and a failure for one user is a warning that stops no other. A rule of the tick: deals with a batch of
-- users, in the order of their ids from p_after on, and returns the last one if there may be more, else null.
create or replace function account.enforce(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user record;
    v_until timestamptz := clock.batch_end();
    v_count integer := 0;
begin
    for v_user in
        select
            u.id, u.username, u.expires_at, u.expiry_announced_at,
            account.state(u.disabled_at, u.expires_at) as state
        from ccp.users as u
        where not account.is_active(u.disabled_at, u.expires_at)
            and (
                (not account.is_active(null, u.expires_at) and u.expiry_announced_at is null)
                or exists (
                    select
                    from ccp.sessions as s
                    where s.user_id = u.id and s.ended_at is null and s.end_requested_at is null
                )
                or exists (
                    select
                    from ccp.hosts as h
                    where h.user_id = u.id and h.status in ('starting', 'running', 'switching', 'rebuilding')
                )
            )
            and (p_after is null or u.id > p_after)
        order by u.id
        limit p_limit
        for no key update skip locked
    loop
        begin
            if not account.is_active(null, v_user.expires_at) and v_user.expiry_announced_at is null then
                update ccp.users
                set expiry_announced_at = clock.now()
                where id = v_user.id;
                perform event.write(
                    'user.expired', format('the account of %s has expired', v_user.username), v_user.id
                );
            end if;

            perform session.end_for_user(v_user.id, v_user.state, null);
            perform account.stop_hosts(v_user.id, v_user.state);
        exception
            when others then
                raise warning 'the account of %, which is %, was not enforced: %', v_user.username, v_user.state, sqlerrm;
        end;
        v_count := v_count + 1;
        if v_count = p_limit or clock_timestamp() > v_until then
            return v_user.id;
        end if;
    end loop;
    return null;
end
$$;

revoke all on function account.enforce(uuid, integer) from public;

comment on function account.enforce(uuid, integer) is
'Ends the sessions and stops the hosts of a batch of expired and disabled users; returns where the next one begins.';
