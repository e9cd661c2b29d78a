-- Trigger: a host takes only the steps of ccp.host_edges, for every role. Stamps its own row, changes nothing else.
create or replace function host.guard()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from ccp.host_edges as e
        where e.from_status = old.status and e.to_status = new.status
    ) then
        perform access.refuse(
            'CP409', 'step_not_allowed', format('host %s may not go from %s to %s', old.short_id, old.status, new.status),
            jsonb_build_object('host_id', old.id, 'from', old.status, 'to', new.status),
            'ccp.host_edges lists the allowed steps; insert into ccp.tasks to have one taken'
        );
    end if;
    new.status_changed_at := clock.now();
    if new.status = 'deleted' then
        new.deleted_at := clock.now();
    end if;
    return new;
end
$$;

revoke all on function host.guard() from public;

comment on function host.guard() is
'Trigger: a host takes only the steps of ccp.host_edges.';
