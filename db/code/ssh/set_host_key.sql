-- The ssh proxy's public host key, which every hand-off carries.
create or replace function ssh.set_host_key(p_process_id bigint, p_public_key text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.require(p_process_id);
    if p_public_key !~ '^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$' or length(p_public_key) > 8192 then
        perform access.refuse(
            'CP422', 'invalid', 'a host key is one line: type and base64', jsonb_build_object('field', 'p_public_key'), ''
        );
    end if;
    perform setting.put('ssh_host_key', to_jsonb(p_public_key));
end
$$;

revoke all on function ssh.set_host_key(bigint, text) from public;
grant execute on function ssh.set_host_key(bigint, text) to ccp_sshproxy;

comment on function ssh.set_host_key(bigint, text) is
'Stores the ssh proxy''s public host key.';
