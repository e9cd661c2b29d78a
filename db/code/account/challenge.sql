-- First half of a password login: the limits, then the hash to check against. An unknown user gets no hash, and the
-- caller checks a dummy one of the same cost, so that time tells nothing. Reads only: what a wrong password costs
-- is written by account.login().
create or replace function account.challenge(p_username text, p_address inet)
returns table (verdict text, retry_after_s integer, password_hash text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_wait_s integer := access.penalty_check(p_address, p_username);
begin
    return query
    select
        case when v_wait_s > 0 then 'too_many_attempts' else 'ok' end,
        v_wait_s,
        case when v_wait_s = 0 then (
            select u.password_hash
            from ccp.users as u
            where u.username = lower(p_username)
        ) end;
end
$$;

revoke all on function account.challenge(text, inet) from public;
grant execute on function account.challenge(text, inet) to ccp_api;

comment on function account.challenge(text, inet) is
'First half of a password login: the limits, then the hash to check against.';
