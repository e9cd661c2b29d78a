-- Fills in why each host is as it is. The sentence is the one of ccp.host_status, which is asked once for all of them:
-- it groups the tasks that live, and looks the rest up by the hosts' ids. To plan it takes longer than to ask it.
create or replace function api.host_why(p_hosts api.host[])
returns api.host[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    v_ids uuid[] := array(select h.id from unnest(p_hosts) as h);
begin
    return array(
        select jsonb_populate_record(p_hosts[i.n], jsonb_build_object('why', s.why))
        from generate_subscripts(p_hosts, 1) as i (n)
        left join (
            select a.id, a.why
            from ccp.host_status as a
            where a.id = any (v_ids)
        ) as s on s.id = (p_hosts[i.n]).id
        order by i.n
    );
end
$$;

revoke all on function api.host_why(api.host[]) from public;
grant execute on function api.host_why(api.host[]) to ccp_as_user;

comment on function api.host_why(api.host[]) is
'Fills in why each host is as it is.';
