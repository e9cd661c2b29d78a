-- The hosts that leave through an exit or are being moved to it: one at most, but for one that is moved to what its own exit
-- has become. The live host.switch is what reserves its exit.
create or replace function egress.host_ids(p_egress_ip_id uuid)
returns setof uuid
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select b.host_id
    from ccp.bindings as b
    where b.egress_ip_id = p_egress_ip_id
        and b.ended_at is null
    union
    select t.host_id
    from ccp.task_rows as t
    where t.kind = 'host.switch'
        and t.status in ('queued', 'running')
        and t.params ->> 'egress_ip_id' = p_egress_ip_id::text
$$;

revoke all on function egress.host_ids(uuid) from public;

comment on function egress.host_ids(uuid) is
'The hosts that leave through an exit or are being moved to it.';
