-- A session is over. What the rules asked for stays its reason. Idempotent. That the container refused the login
-- (host_refused) is a fault of the host until somebody has come in.
create or replace function session.end(
    p_process_id bigint,
    p_session_id uuid,
    p_reason text,
    p_bytes_up bigint,
    p_bytes_down bigint
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session ccp.sessions;
    v_host ccp.hosts;
    v_user record;
begin
    perform process.require(p_process_id);
    update ccp.sessions
    set
        ended_at = clock.now(),
        end_reason = coalesce(end_reason, p_reason),
        bytes_up = p_bytes_up,
        bytes_down = p_bytes_down
    where id = p_session_id
        and process_id = p_process_id
        and ended_at is null
    returning * into v_session;
    if found then
        if p_reason = 'host_refused' or p_bytes_down > 0 then
            select h.*
            into v_host
            from ccp.hosts as h
            where h.id = v_session.host_id;
            if v_host.status = 'running' then
                perform host.ssh_fault(
                    v_host, 'login',
                    case when p_reason = 'host_refused' then 'its sshd refused the login as dev' end, clock.now()
                );
            end if;
        end if;
        select u.username, u.role into v_user from ccp.users as u where u.id = v_session.user_id;
        perform account.act_as(v_session.user_id, v_user.username, v_user.role, v_session.address);
        perform event.write(
            'ssh.session.closed',
            format('a session ended after %s s', round(extract(epoch from clock.now() - v_session.created_at))),
            v_session.user_id, v_session.host_id, null,
            jsonb_build_object(
                'session_id', p_session_id, 'reason', v_session.end_reason, 'bytes_up', p_bytes_up, 'bytes_down', p_bytes_down
            )
        );
    end if;
end
$$;

revoke all on function session.end(bigint, uuid, text, bigint, bigint) from public;
grant execute on function session.end(bigint, uuid, text, bigint, bigint) to ccp_sshproxy, ccp_api;

comment on function session.end(bigint, uuid, text, bigint, bigint) is
'A session is over.';
