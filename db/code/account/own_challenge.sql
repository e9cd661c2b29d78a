-- Before a user who is logged in changes the password: the limits of logins, then the hash to check the old one against.
create or replace function account.own_challenge(
    p_login_id uuid,
    p_generation integer,
    p_address inet,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out password_hash text
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
begin
    select c.verdict, c.retry_after_s, c.password_hash
    into verdict, retry_after_s, password_hash
    from ccp.users as u
    cross join account.challenge(u.username, p_address) as c
    where u.id = v_user_id;
end
$$;

revoke all on function account.own_challenge(uuid, integer, inet) from public;
grant execute on function account.own_challenge(uuid, integer, inet) to ccp_api;

comment on function account.own_challenge(uuid, integer, inet) is
'Before a user changes the password: the limits, then the hash to check the old one against.';
