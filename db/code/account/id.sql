-- The user of a name, for people in psql; refuses a name that nobody has.
create or replace function account.id(p_username text)
returns uuid
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    select u.id
    into v_id
    from ccp.users as u
    where u.username = lower(p_username)
        and u.deleted_at is null;
    if not found then
        perform api.not_found('user_not_found', 'user');
    end if;
    return v_id;
end
$$;

revoke all on function account.id(text) from public;
grant execute on function account.id(text) to ccp_admin;

comment on function account.id(text) is
'The user of a name.';
