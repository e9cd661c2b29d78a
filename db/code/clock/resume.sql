-- A rule of the tick: hosts that wait because of a failure that does not pass by itself are tried again once something that it
-- may come from has changed since: the host, its exit, a setting, or its machine's agent, which may have been started after
-- an image was loaded. (A person's request tries at once.) Locked ones wait.
create or replace function clock.resume(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after uuid;
begin
    with resumed as (
        update ccp.hosts as h
        set retry_at = null
        where h.id = any (array(
            select w.id
            from ccp.hosts as w
            left join ccp.bindings as b on b.host_id = w.id and b.ended_at is null
            left join ccp.egress_ips as e on e.id = b.egress_ip_id
            where w.retry_at = 'infinity'
                and (p_after is null or w.id > p_after)
                and greatest(
                    w.updated_at, b.created_at, e.updated_at,
                    (select max(s.updated_at) from ccp.settings as s),
                    (
                        select max(p.started_at)
                        from ccp.processes as p
                        where p.node_id = w.node_id and p.program = 'ccp-agent' and p.ended_at is null
                    )
                ) > w.finished_at
            order by w.id
            limit p_limit
            for no key update of w skip locked
        ))
        returning h.id
    )
    select clock.batch_after(array_agg(r.id order by r.id), p_limit)
    into v_after
    from resumed as r;
    return v_after;
end
$$;

revoke all on function clock.resume(uuid, integer) from public;

comment on function clock.resume(uuid, integer) is
'Lets hosts be tried again that waited for somebody to change something; returns where the next batch begins.';
