-- Locks a user for a change and returns the row as it is then; refuses one that is not there or is being deleted.
create or replace function account.lock(p_user_id uuid)
returns ccp.users
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user ccp.users;
begin
    select *
    into v_user
    from ccp.users as u
    where u.id = p_user_id
    for no key update;
    if not found or v_user.deleted_at is not null then
        perform api.not_found('user_not_found', 'user');
    elsif v_user.deleting_at is not null then
        perform access.refuse(
            'CP409', 'user_being_deleted', format('User %s is being deleted; cancel that first.', v_user.username)
        );
    end if;
    return v_user;
end
$$;

revoke all on function account.lock(uuid) from public;

comment on function account.lock(uuid) is
'Locks a user for a change; refuses one that is not there or is being deleted.';
