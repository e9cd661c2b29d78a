-- A rule of the tick: hosts that still run with what their exits were before somebody changed them, because moving them failed,
-- are moved again when they need not wait any more. Locked ones are left out. Returns the last id if there may be more, else
-- null.
create or replace function host.follow_exits(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host record;
    v_count integer := 0;
begin
    for v_host in
        select h.id, h.short_id
        from ccp.bindings as b
        join ccp.hosts as h on h.id = b.host_id
        where b.outdated
            and b.ended_at is null
            and h.status = 'running'
            and (h.retry_at is null or h.retry_at <= clock.now())
            and (p_after is null or h.id > p_after)
        order by h.id
        limit p_limit
        for no key update of h skip locked
    loop
        v_count := v_count + 1;
        begin
            perform host.reconcile(v_host.id);
        exception
            when others then
                raise warning 'host %, whose exit was changed, was not moved: %', v_host.short_id, sqlerrm;
        end;
        if v_count = p_limit then
            return v_host.id;
        end if;
    end loop;
    return null;
end
$$;

revoke all on function host.follow_exits(uuid, integer) from public;

comment on function host.follow_exits(uuid, integer) is
'Moves a batch of hosts that still run with what their exits were; returns where the next one begins.';
