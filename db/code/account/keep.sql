-- An administrator cancels the deletion of a user, as the cancellation of its task does.
create or replace function account.keep(p_user_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task_id uuid;
begin
    select t.id
    into v_task_id
    from ccp.task_rows as t
    where t.kind = 'user.delete'
        and t.status in ('queued', 'running')
        and t.host_id is null
        and t.stop_requested_at is null
        and t.params ->> 'user_id' = p_user_id::text;
    if found then
        perform task.cancel(v_task_id, 'an administrator keeps the user');
    else
        perform account.undo_delete(p_user_id);
    end if;
end
$$;

revoke all on function account.keep(uuid) from public;
grant execute on function account.keep(uuid) to ccp_admin;

comment on function account.keep(uuid) is
'An administrator cancels the deletion of a user.';
