-- POST /v1/entry/{short_id}/auth, after the owner's login password was checked: starts the host unless it runs, and grants
-- a poll token and a one-time key. A wrong password, an id that leads nowhere and another's host get one answer, after
-- the same work: see account.entry_challenge().
create or replace function api.entry_auth(
    p_short_id api.short_id,
    p_address inet,
    p_matched boolean,
    p_password_hash text,
    p_poll_token_sha256 ccp.sha256,
    p_public_key ccp.ssh_public_key default null,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out answer api.entry
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host ccp.hosts := host.of_link(p_short_id);
    v_login record;
    v_grant record;
    v_way record;
begin
    v_login := account.judge_login(p_short_id, v_host.user_id, v_host.id, p_address, p_matched, p_password_hash);
    verdict := v_login.verdict;
    retry_after_s := v_login.retry_after_s;
    sentence := case verdict when 'auth_invalid' then 'The password is wrong, or the link leads to no host.'
        else v_login.sentence end;
    if verdict <> 'ok' then
        return;
    end if;
    v_grant := access.grant_start('entry', v_host, p_address, p_poll_token_sha256, p_public_key);
    verdict := v_grant.verdict;
    sentence := v_grant.sentence;
    if verdict <> 'ok' then
        return;
    end if;

    answer.task_id := v_grant.task_id;
    answer.status_url := '/v1/bootstrap/tasks/' || v_grant.task_id;
    answer.poll_token := '';
    answer.host_keys := '{}';
    v_way := access.way_in(v_host.id, v_grant.task_id);
    if v_way.verdict <> 'ok' then
        verdict := 'accepted';
        answer.status := 'starting';
        return;
    end if;
    answer.status := 'ready';
    answer.ssh_host := v_way.ssh_host;
    answer.ssh_port := v_way.ssh_port;
    answer.ssh_user := v_way.ssh_user;
    answer.host_keys := array[v_way.host_key];
end
$$;

revoke all on function api.entry_auth(api.short_id, inet, boolean, text, ccp.sha256, ccp.ssh_public_key) from public;
grant execute on function api.entry_auth(api.short_id, inet, boolean, text, ccp.sha256, ccp.ssh_public_key) to ccp_api;

comment on function api.entry_auth(api.short_id, inet, boolean, text, ccp.sha256, ccp.ssh_public_key) is
'POST /v1/entry/{short_id}/auth: signs in by a host''s link, starts the host if need be, grants a one-time key.';
