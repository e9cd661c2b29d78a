-- Trigger: only a tombstone past its retention leaves the table; a live host would leave its container behind.
create or replace function host.guard_delete()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if old.status <> 'deleted' then
        perform access.refuse(
            'CP409', 'host_is_live', format('host %s is %s: its row cannot be deleted', old.short_id, old.status),
            jsonb_build_object('host_id', old.id),
            'insert into ccp.tasks (kind, host_id) values (''host.delete'', ...)'
        );
    end if;
    return old;
end
$$;

revoke all on function host.guard_delete() from public;

comment on function host.guard_delete() is
'Trigger: only tombstones leave the table of hosts.';
