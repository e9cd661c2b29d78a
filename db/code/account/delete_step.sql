-- What user.delete does: asks for the deletion of hosts that are left; when there is none, the user goes too. Keys, logins
-- and remembered requests are removed, and what remains is a tombstone. Returns how many hosts are left. Again is safe.
-- Refuses a user whose deletion nobody asked for, or was canceled.
create or replace function account.delete_step(p_user_id uuid, p_wipe boolean)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users;
    v_left integer;
begin
    select *
    into v_user
    from ccp.users as u
    where u.id = p_user_id
    for no key update;
    if v_user.deleted_at is not null then
        return 0;
    elsif v_user.deleting_at is null then
        perform access.refuse('CP409', 'user_not_being_deleted', 'Nobody asked for the deletion of this user.');
    end if;
    perform account.delete_hosts(p_user_id, p_wipe);
    select count(*)
    into v_left
    from ccp.hosts as h
    where h.user_id = p_user_id
        and h.deleted_at is null;
    if v_left > 0 then
        return v_left;
    end if;
    delete from ccp.ssh_keys where user_id = p_user_id;
    delete from ccp.access_grants where user_id = p_user_id;
    delete from ccp.logins where user_id = p_user_id;
    delete from ccp.idempotency_keys where user_id = p_user_id;
    update ccp.users
    set
        deleted_at = clock.now(),
        password_hash = null
    where id = p_user_id;
    perform event.write('user.deleted', format('user %s was deleted', v_user.username), p_user_id);
    return 0;
end
$$;

revoke all on function account.delete_step(uuid, boolean) from public;
grant execute on function account.delete_step(uuid, boolean) to ccp_worker;

comment on function account.delete_step(uuid, boolean) is
'What user.delete does; returns how many hosts are left.';
