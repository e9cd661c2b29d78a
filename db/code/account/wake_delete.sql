-- A host is gone: if the deletion of its user waits for that, its turn is now. One that runs, or is locked, looks again by
-- itself. The caller holds the host's row.
create or replace function account.wake_delete(p_user_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update ccp.task_rows
    set run_at = clock.now()
    where id = (
        select t.id
        from ccp.task_rows as t
        where t.kind = 'user.delete'
            and t.status = 'queued'
            and t.host_id is null
            and t.params ->> 'user_id' = p_user_id::text
            and t.run_at > clock.now()
        for no key update skip locked
    );
    if found then
        perform pg_notify('ccp_worker', '');
    end if;
end
$$;

revoke all on function account.wake_delete(uuid) from public;

comment on function account.wake_delete(uuid) is
'A host is gone: if the deletion of its user waits for that, its turn is now.';
