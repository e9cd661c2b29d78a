-- An administrator deletes a user. From this moment on nothing of the user comes in: the user is disabled, logins and
-- sessions end. Then the hosts go, and with the last one the user (account.delete_step); what remains is a tombstone, so
-- that the audit log stays readable. Returns the task that does it; asked again, the same one, or after it has failed
-- another. Of two administrators who delete each other at once one is left.
create or replace function account.delete(p_user_id uuid, p_wipe boolean default false)
returns ccp.task_rows
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users;
begin
    perform account.lock_with_admins(p_user_id);
    select *
    into v_user
    from ccp.users as u
    where u.id = p_user_id
        and u.deleted_at is null;
    if not found then
        perform api.not_found('user_not_found', 'user');
    end if;
    if v_user.deleting_at is null then
        perform account.begin_delete(v_user, p_wipe);
    elsif exists (
        select
        from ccp.task_rows as t
        where t.kind = 'user.delete'
            and t.status in ('queued', 'running')
            and t.params ->> 'user_id' = p_user_id::text
            and (t.params ? 'wipe') <> p_wipe
    ) then
        perform access.refuse(
            'CP409', 'user_being_deleted',
            format('User %s is being deleted with the other value of wipe; cancel that first.', v_user.username)
        );
    end if;
    return task.submit(
        'user.delete', null, jsonb_build_object('user_id', p_user_id, 'wipe', p_wipe::text), null, null
    );
end
$$;

revoke all on function account.delete(uuid, boolean) from public;
grant execute on function account.delete(uuid, boolean) to ccp_admin;

comment on function account.delete(uuid, boolean) is
'An administrator deletes a user: hosts first, the user last; returns the task.';
