-- GET /v1/admin/hosts/{id}/connection: lines for the host's user. The settings that go into them are checked when they
-- are set; public_url, which may be any text, is quoted for the shell.
create or replace function api.host_connection(p_login_id uuid, p_generation integer, p_id uuid)
returns api.connection
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host api.host;
    v_ssh api.ssh_way;
    v_curl text := 'curl -sSf ''' || replace(rtrim(setting.text('public_url'), '/'), '''', '''\''''');
    v_connection api.connection;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select *
    into v_host
    from api.host as h
    where h.id = p_id;
    if not found then
        perform api.not_found('host_not_found', 'host');
    end if;
    v_ssh := v_host.ssh;
    v_connection.short_id := v_host.short_id;
    v_connection.ssh := v_ssh;
    v_connection.host_key_sha256 := 'SHA256:' || rtrim(
        encode(sha256(decode(split_part(v_ssh.host_key, ' ', 2), 'base64')), 'base64'), '='
    );
    v_connection.curl_line := v_curl || '/v1/bootstrap/script'' | bash -s -- --host ' || v_host.short_id;
    v_connection.entry_line := v_curl || '/entry/' || v_host.short_id || ''' | bash';
    if v_ssh.host is not null then
        v_connection.ssh_line := format('ssh -p %s %s@%s', v_ssh.port, v_ssh.user_name, v_ssh.host);
        v_connection.known_hosts_line := case
            when v_ssh.port = 22 then v_ssh.host || ' ' || v_ssh.host_key
            else format('[%s]:%s ', v_ssh.host, v_ssh.port) || v_ssh.host_key
        end;
    end if;
    return v_connection;
end
$$;

revoke all on function api.host_connection(uuid, integer, uuid) from public;
grant execute on function api.host_connection(uuid, integer, uuid) to ccp_api;

comment on function api.host_connection(uuid, integer, uuid) is
'GET /v1/admin/hosts/{id}/connection: lines for the host''s user.';
