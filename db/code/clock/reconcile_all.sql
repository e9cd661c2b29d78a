-- A rule of the tick: reconciles a batch of hosts that are not as wanted and not locked, in the order of their ids from p_after
-- on, so that one that cannot be helped keeps no other waiting. Returns the last id if there may be more, else null.
create or replace function clock.reconcile_all(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until timestamptz := clock.batch_end();
    v_count integer := 0;
    v_host record;
begin
    for v_host in
        select h.id, h.short_id
        from clock.hosts_to_reconcile(p_after, p_limit) as h
    loop
        begin
            perform host.reconcile(v_host.id);
        exception
            when others then
                raise warning 'host % was not reconciled: %', v_host.short_id, sqlerrm;
        end;
        v_count := v_count + 1;
        if v_count = p_limit or clock_timestamp() > v_until then
            return v_host.id;
        end if;
    end loop;
    return null;
end
$$;

revoke all on function clock.reconcile_all(uuid, integer) from public;

comment on function clock.reconcile_all(uuid, integer) is
'Reconciles a batch of hosts that are not as wanted; returns where the next one begins.';
