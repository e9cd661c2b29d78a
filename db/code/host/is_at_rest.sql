-- Whether nothing of a host can be running or be about to: it was never created, or is stopped and no task has been
-- asked for that changes that. The caller holds the host's row.
create or replace function host.is_at_rest(p_host ccp.hosts)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select p_host.status in ('pending', 'stopped', 'deleted') or p_host.wg_public_key is null
$$;

revoke all on function host.is_at_rest(ccp.hosts) from public;

comment on function host.is_at_rest(ccp.hosts) is
'Whether nothing of a host can be running or be about to.';
