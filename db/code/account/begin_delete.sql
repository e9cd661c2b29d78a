-- The first moment of a deletion: the user is disabled, logins and sessions end, the hosts are asked to go. Nobody
-- deletes oneself, nor the last active administrator. The caller holds the rows of the user and of all administrators.
create or replace function account.begin_delete(p_user ccp.users, p_wipe boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_user.id::text = current_setting('ccp.user_id', true) then
        perform access.refuse('CP409', 'own_account', 'You cannot delete yourself.');
    end if;
    perform account.require_admin(p_user, '-infinity');
    update ccp.users
    set
        deleting_at = clock.now(),
        disabled_at = coalesce(disabled_at, clock.now())
    where id = p_user.id;
    perform account.end_logins(p_user.id, 'admin');
    perform session.end_for_user(p_user.id, 'deleted', null);
    perform event.write(
        'admin.user.deleted', format('the deletion of user %s was asked for', p_user.username), p_user.id, null, null,
        jsonb_build_object('username', p_user.username, 'short_id', p_user.short_id, 'wipe', p_wipe)
    );
    perform account.delete_hosts(p_user.id, p_wipe);
end
$$;

revoke all on function account.begin_delete(ccp.users, boolean) from public;

comment on function account.begin_delete(ccp.users, boolean) is
'The first moment of a user''s deletion.';
