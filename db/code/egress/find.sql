-- An exit, locked; refused with CP404 when there is none.
create or replace function egress.find(p_id uuid)
returns ccp.egress_ips
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit ccp.egress_ips;
begin
    select e.*
    into v_exit
    from ccp.egress_ips as e
    where e.id = p_id
    for no key update;
    if not found then
        perform api.not_found('egress_ip_not_found', 'exit');
    end if;
    return v_exit;
end
$$;

revoke all on function egress.find(uuid) from public;

comment on function egress.find(uuid) is
'An exit, locked.';
