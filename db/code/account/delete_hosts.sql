-- Asks for the deletion of hosts of a user who is being deleted, at most 200 of those for which nobody has yet. A host
-- that refuses is left for the next call, with a warning; what has begun, reconciliation brings to its end.
create or replace function account.delete_hosts(p_user_id uuid, p_wipe boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host record;
begin
    for v_host in
        select h.id, h.short_id
        from ccp.hosts as h
        where h.user_id = p_user_id
            and h.deleted_at is null
            and h.desired <> 'absent'
        order by h.id
        limit 200
    loop
        begin
            perform task.submit('host.delete', v_host.id, jsonb_build_object('wipe', p_wipe::text), null, null);
        exception
            when others then
                if sqlstate not like 'CP%' then
                    raise;
                end if;
                raise warning 'host % is not deleted yet: %', v_host.short_id, sqlerrm;
        end;
    end loop;
end
$$;

revoke all on function account.delete_hosts(uuid, boolean) from public;

comment on function account.delete_hosts(uuid, boolean) is
'Asks for the deletion of hosts of a user who is being deleted.';
