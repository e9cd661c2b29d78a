-- A task has left a host running, proven with what its exit is now: the one that it was moved to, or its own, which is not
-- changed while a task is under way. A verification proves what was there before.
create or replace function host.note_exit(p_host ccp.hosts, p_task ccp.task_rows)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_task.kind = 'host.switch' then
        perform host.rebind(p_host, (p_task.params ->> 'egress_ip_id')::uuid);
        perform host.tell_switch(p_host, p_task);
    elsif p_task.kind <> 'host.verify' then
        update ccp.bindings
        set outdated = false
        where host_id = p_host.id
            and ended_at is null
            and outdated;
    end if;
end
$$;

revoke all on function host.note_exit(ccp.hosts, ccp.task_rows) from public;

comment on function host.note_exit(ccp.hosts, ccp.task_rows) is
'A task has left a host running, proven with what its exit is now.';
