-- What is answered before a password is checked: the limits of the name that is tried at that address, then the hash to check
-- against, which the caller has looked up (null: there is none). Reads only: what a wrong password costs is written when it has
-- been checked.
create or replace function access.challenge(
    p_address inet,
    p_subject text,
    p_password_hash text,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out password_hash text
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        case when w.seconds > 0 then 'too_many_attempts' else 'ok' end,
        w.seconds,
        case when w.seconds = 0 then p_password_hash end
    from access.penalty_check(p_address, p_subject) as w (seconds)
$$;

revoke all on function access.challenge(inet, text, text) from public;

comment on function access.challenge(inet, text, text) is
'What is answered before a password is checked: the limits, then the hash to check against.';
