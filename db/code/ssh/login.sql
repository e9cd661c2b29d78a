-- Logs a client in, or says why not. The answer is returned, never raised: an exception would erase the penalty and the
-- event. p_matched: the signature was valid, or the password matched. What is wrong with the account or the host is
-- said only after right credentials; wrong ones and unknown hosts get the same answer. The hash that a password was
-- checked against must still be the host's, or the password was changed in between. A right key does not wait for others'
-- mistakes. A one-time key is used up by the
-- login that it lets in, and by no other.
create or replace function ssh.login(
    p_process_id bigint,
    p_address inet,
    p_short_id text,
    p_method text,
    p_key_sha256 text,
    p_matched boolean,
    p_password_hash text,
    out verdict ccp.verdict,
    out session_id uuid,
    out sentence text
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host record;
    v_key_id uuid;
    v_grant_id uuid;
    v_wait_s integer := access.penalty_check(p_address, p_short_id);
begin
    perform process.require(p_process_id);
    select
        h.id, h.short_id, h.user_id, h.status, h.ssh_password_hash, u.username, u.role,
        account.state(u.disabled_at, u.expires_at) as user_state
    into v_host
    from ccp.hosts as h
    join ccp.users as u on u.id = h.user_id
    where h.short_id = p_short_id
        and h.status <> 'deleted';
    if p_method = 'key' and v_host.id is not null then
        select k.id
        into v_key_id
        from ccp.ssh_keys as k
        where k.user_id = v_host.user_id
            and k.key_sha256 = p_key_sha256;
        if v_key_id is null then
            v_grant_id := ssh.grant_id(v_host.id, p_key_sha256);
        end if;
    end if;
    if v_wait_s > 0 and (v_key_id is null and v_grant_id is null or p_matched is not true) then
        verdict := 'too_many_attempts';
        sentence := format('Too many attempts: wait %s seconds.', v_wait_s);
        return;
    end if;

    if p_matched is not true
        or v_host.id is null
        or (p_method = 'key' and v_key_id is null and v_grant_id is null)
        or (p_method = 'password' and (v_host.ssh_password_hash = p_password_hash) is not true)
        or p_method not in ('key', 'password')
    then
        perform access.penalty_add(
            p_address, p_short_id, case when v_host.id is null then 'unknown_user' else 'auth_failed' end
        );
        perform account.act_as(null, coalesce(v_host.username, 'unknown'), 'anonymous', p_address);
        -- An unknown name may be a password typed into the wrong field: it is not written down.
        perform event.write(
            'ssh.auth.failed', format('a client at %s failed to log in by %s', host(p_address), p_method),
            v_host.user_id, v_host.id, null,
            jsonb_build_object('address', host(p_address), 'method', p_method)
            || case when v_host.id is null then '{}' else jsonb_build_object('user', p_short_id) end
        );
        verdict := 'auth_invalid';
        sentence := 'Permission denied.';
        return;
    end if;
    perform account.act_as(v_host.user_id, v_host.username, v_host.role, p_address);
    if v_host.user_state <> 'active' then
        perform event.write(
            'ssh.auth.failed', format('%s was not let in by ssh: the account is %s', v_host.username, v_host.user_state),
            v_host.user_id, v_host.id, null, jsonb_build_object('address', host(p_address), 'method', p_method)
        );
        verdict := 'account_' || v_host.user_state;
        sentence := case v_host.user_state
            when 'expired' then 'This account has expired: ask an admin to extend it.'
            else 'This account is disabled: ask an admin to enable it.'
        end;
        return;
    end if;
    if v_host.status <> 'running' then
        verdict := 'host_not_running';
        sentence := session.host_sentence(v_host.status, v_host.short_id);
        return;
    end if;

    if v_grant_id is not null then
        update ccp.access_grants
        set used_at = clock.now()
        where id = v_grant_id
            and used_at is null;
        if not found then
            verdict := 'auth_invalid';
            sentence := 'Permission denied.';
            return;
        end if;
    elsif v_key_id is not null then
        update ccp.ssh_keys
        set last_used_at = clock.now()
        where id = v_key_id;
    end if;
    insert into ccp.sessions as s (user_id, host_id, process_id, method, key_sha256, address)
    values (
        v_host.user_id, v_host.id, p_process_id,
        case when v_grant_id is not null then 'grant' else p_method end,
        p_key_sha256, p_address
    )
    returning s.id into session_id;
    perform event.write(
        'ssh.session.opened', format('%s came in by ssh from %s', v_host.username, host(p_address)),
        v_host.user_id, v_host.id, null,
        jsonb_build_object('session_id', session_id, 'address', host(p_address), 'method', p_method)
    );
    verdict := 'ok';
end
$$;

revoke all on function ssh.login(bigint, inet, text, text, text, boolean, text) from public;
grant execute on function ssh.login(bigint, inet, text, text, text, boolean, text) to ccp_sshproxy;

comment on function ssh.login(bigint, inet, text, text, text, boolean, text) is
'Logs a client in, or says why not with a verdict and a sentence.';
