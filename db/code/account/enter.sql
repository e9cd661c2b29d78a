-- The first call of every authenticated route: checks login, user and role as they are now, notes the actor for this
-- transaction and returns the user's id. A role of admin may enter where user is asked for, never the other way.
create or replace function account.enter(p_login_id uuid, p_generation integer, p_role text)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_login record;
begin
    select
        l.user_id, l.address, u.username, u.role, u.disabled_at, u.expires_at
    into v_login
    from ccp.logins as l
    join ccp.users as u on u.id = l.user_id
    where l.id = p_login_id
        and l.generation = p_generation
        and l.revoked_at is null
        and l.expires_at > clock.now();
    if not found then
        perform access.refuse('CP401', 'token_invalid', 'this login has ended', '{}', 'log in again');
    end if;
    perform account.require_active(v_login.disabled_at, v_login.expires_at);
    if p_role = 'admin' and v_login.role <> 'admin' then
        perform access.refuse('CP403', 'forbidden', 'only an admin may do this', '{}', 'ask an admin');
    end if;
    perform account.act_as(v_login.user_id, v_login.username, v_login.role, v_login.address);
    return v_login.user_id;
end
$$;

revoke all on function account.enter(uuid, integer, text) from public;
grant execute on function account.enter(uuid, integer, text) to ccp_as_user;

comment on function account.enter(uuid, integer, text) is
'Checks login, user and role as they are now, notes the actor and returns the user''s id.';
