-- POST /v1/bootstrap/sessions, after the password was checked: finds the host, starts it unless it runs, and grants a
-- poll token and a one-time key for 15 minutes. Of both only digests are kept.
create or replace function api.bootstrap_session_create(
    p_username api.login_name,
    p_address inet,
    p_matched boolean,
    p_password_hash text,
    p_poll_token_sha256 ccp.sha256,
    p_public_key ccp.ssh_public_key default null,
    p_host api.short_id default null,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out answer api.bootstrap_session
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_login record;
    v_host ccp.hosts;
    v_task_id uuid;
begin
    v_login := account.login(p_username, p_address, p_matched, p_password_hash);
    verdict := v_login.verdict;
    retry_after_s := v_login.retry_after_s;
    sentence := v_login.sentence;
    if verdict <> 'ok' then
        return;
    end if;

    select h.*
    into v_host
    from ccp.hosts as h
    where h.user_id = v_login.user_id
        and h.desired <> 'absent'
        and (p_host is null or h.short_id = lower(p_host))
    order by h.created_at, h.id
    limit 1;
    if not found then
        verdict := 'host_not_found';
        sentence := case when p_host is null then 'You have no host yet; ask your administrator for one.'
            else 'You have no such host.' end;
        return;
    end if;
    if not exists (select from ccp.bindings as b where b.host_id = v_host.id and b.ended_at is null) then
        verdict := 'egress_binding_missing';
        sentence := format('Host %s has no exit; ask your administrator to bind one.', v_host.short_id);
        return;
    end if;

    if v_host.status = 'running' and v_host.desired = 'running' then
        select t.id
        into v_task_id
        from ccp.task_rows as t
        where t.host_id = v_host.id
            and t.kind = 'host.start'
            and t.status = 'succeeded'
        order by t.created_at desc
        limit 1;
    end if;
    if v_task_id is null then
        begin
            v_task_id := (task.enqueue('host.start', v_host.id, '{}', null)).id;
        exception
            when sqlstate 'CP409' then
                verdict := 'start_failed';
                sentence := concat_ws(': ', sqlerrm, v_host.error_message);
                return;
        end;
    end if;

    insert into ccp.access_grants (
        purpose, user_id, host_id, task_id, key_sha256, poll_token_sha256, address, expires_at
    )
    values (
        'bootstrap', v_login.user_id, v_host.id, v_task_id,
        encode(sha256(decode(split_part(p_public_key, ' ', 2), 'base64')), 'hex'),
        p_poll_token_sha256, p_address, clock.now() + interval '15 minutes'
    );
    answer := row(v_task_id, '/v1/bootstrap/tasks/' || v_task_id, '', 'auth_passed', 'Signed in.')::api.bootstrap_session;
end
$$;

revoke all on function api.bootstrap_session_create(
    api.login_name, inet, boolean, text, ccp.sha256, ccp.ssh_public_key, api.short_id
) from public;
grant execute on function api.bootstrap_session_create(
    api.login_name, inet, boolean, text, ccp.sha256, ccp.ssh_public_key, api.short_id
) to ccp_api;

comment on function api.bootstrap_session_create(
    api.login_name, inet, boolean, text, ccp.sha256, ccp.ssh_public_key, api.short_id
) is
'POST /v1/bootstrap/sessions: signs in, starts the host if need be, grants a one-time key.';
