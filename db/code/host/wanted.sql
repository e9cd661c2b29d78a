-- What is wanted of a host now: stopped while its user is expired or disabled, else what its owner desires.
create or replace function host.wanted(p_host ccp.hosts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_host.desired = 'running' and account.state(u.disabled_at, u.expires_at) <> 'active' then 'stopped'
        else p_host.desired
    end
    from ccp.users as u
    where u.id = p_host.user_id
$$;

revoke all on function host.wanted(ccp.hosts) from public;

comment on function host.wanted(ccp.hosts) is
'What is wanted of a host now: running, stopped or absent.';
