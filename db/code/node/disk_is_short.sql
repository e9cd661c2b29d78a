-- Is less of a node's disk free than is kept back? Not, as long as no agent has told. ccp.doctor asks it for people who may
-- not call what it calls.
create or replace function node.disk_is_short(p_free bigint, p_size bigint)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(p_free < p_size * setting.number('disk_reserve_percent') / 100, false)
$$;

revoke all on function node.disk_is_short(bigint, bigint) from public;
grant execute on function node.disk_is_short(bigint, bigint) to ccp_automation, ccp_dba;

comment on function node.disk_is_short(bigint, bigint) is
'Is less free of a disk, by its free and its whole size in bytes, than disk_reserve_percent?';
