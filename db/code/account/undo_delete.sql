-- The deletion of a user is canceled: the user stays, disabled, and so do hosts whose deletion has not begun. The rest
-- goes on to its end. One that is deleted already is refused.
create or replace function account.undo_delete(p_user_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users;
    v_task record;
begin
    select *
    into v_user
    from ccp.users as u
    where u.id = p_user_id
    for no key update;
    if v_user.deleted_at is not null then
        perform access.refuse('CP409', 'task_not_cancelable', 'This user is deleted already.');
    elsif v_user.deleting_at is null then
        return;
    end if;
    update ccp.users
    set deleting_at = null
    where id = p_user_id;
    for v_task in
        select t.id
        from ccp.task_rows as t
        where t.user_id = p_user_id
            and t.kind = 'host.delete'
            and t.status = 'queued'
            and t.started_at is null
            and t.created_at >= v_user.deleting_at
        order by t.host_id
    loop
        perform task.cancel(v_task.id, 'the deletion of its user was canceled');
    end loop;
    perform event.write(
        'admin.user.updated', format('the deletion of user %s was canceled', v_user.username), p_user_id, null, null,
        '{"status": "disabled"}'
    );
end
$$;

revoke all on function account.undo_delete(uuid) from public;

comment on function account.undo_delete(uuid) is
'The deletion of a user is canceled: the user stays, disabled.';
