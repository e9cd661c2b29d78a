-- A client left without having logged in, for a reason that ccp.penalty_rules counts: no_auth, grace, crash, or
-- auth_failed when none of its keys was accepted (ssh.login has judged a wrong password or signature). A client that
-- has to wait already does not wait longer for keys that were not looked at.
create or replace function ssh.abandon(p_process_id bigint, p_address inet, p_short_id text, p_reason text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host record;
begin
    perform process.require(p_process_id);
    if p_reason = 'auth_failed' then
        if access.penalty_check(p_address, p_short_id) > 0 then
            return;
        end if;
        select h.id, h.user_id, u.username
        into v_host
        from ccp.hosts as h
        join ccp.users as u on u.id = h.user_id
        where h.short_id = p_short_id
            and h.status <> 'deleted';
        perform account.act_as(null, coalesce(v_host.username, 'unknown'), 'anonymous', p_address);
        -- An unknown name may be a password typed into the wrong field: it is not written down.
        perform event.write(
            'ssh.auth.failed', format('a client at %s failed to log in by key', host(p_address)),
            v_host.user_id, v_host.id, null,
            jsonb_build_object('address', host(p_address), 'method', 'key')
            || case when v_host.id is null then '{}' else jsonb_build_object('user', p_short_id) end
        );
    end if;
    perform access.penalty_add(p_address, p_short_id, p_reason);
end
$$;

revoke all on function ssh.abandon(bigint, inet, text, text) from public;
grant execute on function ssh.abandon(bigint, inet, text, text) to ccp_sshproxy;

comment on function ssh.abandon(bigint, inet, text, text) is
'Counts the penalty of a client that left without having logged in: no_auth, grace, crash or auth_failed.';
