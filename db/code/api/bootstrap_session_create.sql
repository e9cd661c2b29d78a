-- POST /v1/bootstrap/sessions, after the password was checked: finds the host, starts it unless it runs, and grants a
-- poll token and a one-time key (access.grant_start).
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
    v_grant record;
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
    v_grant := access.grant_start('bootstrap', v_host, p_address, p_poll_token_sha256, p_public_key);
    verdict := v_grant.verdict;
    sentence := v_grant.sentence;
    if verdict <> 'ok' then
        return;
    end if;
    answer := row(
        v_grant.task_id, '/v1/bootstrap/tasks/' || v_grant.task_id, '', 'auth_passed', 'Signed in.'
    )::api.bootstrap_session;
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
