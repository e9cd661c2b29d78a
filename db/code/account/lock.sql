-- Locks a user for a change and returns the row as it is then; refuses one that is not there.
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
    if not found then
        perform api.not_found('user_not_found', 'user');
    end if;
    return v_user;
end
$$;

revoke all on function account.lock(uuid) from public;

comment on function account.lock(uuid) is
'Locks a user for a change; refuses one that is not there.';
