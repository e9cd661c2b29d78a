-- First half of a password login: the limits, then the hash to check against. An unknown user gets no hash, and the
-- caller checks a dummy one of the same cost, so that time tells nothing: see access.challenge().
create or replace function account.challenge(
    p_username text,
    p_address inet,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out password_hash text
)
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.verdict, c.retry_after_s, c.password_hash
    from access.challenge(
        p_address, p_username, (select u.password_hash from ccp.users as u where u.username = lower(p_username))
    ) as c
$$;

revoke all on function account.challenge(text, inet) from public;
grant execute on function account.challenge(text, inet) to ccp_api;

comment on function account.challenge(text, inet) is
'First half of a password login: the limits, then the hash to check against.';
