-- Second half of a login by user name and password: see account.judge_login().
create or replace function account.login(
    p_username text,
    p_address inet,
    p_matched boolean,
    p_password_hash text,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out user_id uuid
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    select u.id
    into user_id
    from ccp.users as u
    where u.username = lower(p_username);
    select j.verdict, j.retry_after_s, j.sentence
    into verdict, retry_after_s, sentence
    from account.judge_login(p_username, user_id, null, p_address, p_matched, p_password_hash) as j;
    if verdict <> 'ok' then
        user_id := null;
    end if;
end
$$;

revoke all on function account.login(text, inet, boolean, text) from public;

comment on function account.login(text, inet, boolean, text) is
'Second half of a login by user name and password.';
