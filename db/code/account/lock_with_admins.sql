-- Locks a user and all administrators, in the order of their ids, for a change that may take an administrator away: of two who
-- send each other away at once the second finds itself the last.
create or replace function account.lock_with_admins(p_user_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from ccp.users as u
    where u.id = p_user_id or u.role = 'admin'
    order by u.id
    for no key update;
end
$$;

revoke all on function account.lock_with_admins(uuid) from public;

comment on function account.lock_with_admins(uuid) is
'Locks a user and all administrators, in the order of their ids.';
