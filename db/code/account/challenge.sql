-- First half of a password login: the limits, then the hash to check against. An unknown user gets no hash, and the
-- caller checks a dummy one of the same cost, so that time tells nothing. Reads only: what a wrong password costs
-- is written by account.login().
create or replace function account.challenge(
    p_username text,
    p_address inet,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out password_hash text
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    retry_after_s := access.penalty_check(p_address, p_username);
    if retry_after_s > 0 then
        verdict := 'too_many_attempts';
        return;
    end if;
    verdict := 'ok';
    select u.password_hash
    into password_hash
    from ccp.users as u
    where u.username = lower(p_username);
end
$$;

revoke all on function account.challenge(text, inet) from public;
grant execute on function account.challenge(text, inet) to ccp_api;

comment on function account.challenge(text, inet) is
'First half of a password login: the limits, then the hash to check against.';
