-- An administrator gives a host another ssh password, by its yescrypt. Sessions that are open stay.
create or replace function host.rotate_ssh_password(p_host_id uuid, p_ssh_password_hash ccp.yescrypt)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host ccp.hosts;
begin
    update ccp.hosts
    set
        ssh_password_hash = p_ssh_password_hash,
        ssh_password_changed_at = clock.now()
    where id = p_host_id
        and deleted_at is null
    returning * into v_host;
    if not found then
        perform api.not_found('host_not_found', 'host');
    end if;
    perform event.write(
        'key.rotated', format('the ssh password of host %s was changed', v_host.short_id), v_host.user_id, p_host_id
    );
end
$$;

revoke all on function host.rotate_ssh_password(uuid, ccp.yescrypt) from public;
grant execute on function host.rotate_ssh_password(uuid, ccp.yescrypt) to ccp_admin;

comment on function host.rotate_ssh_password(uuid, ccp.yescrypt) is
'An administrator gives a host another ssh password, by its hash.';
