-- Before the password of a host's owner is checked at the host's entry link: the limits, then the hash to check against.
-- Mistakes count for the short id, like those of ssh, and never for the owner's name: who makes some here and sees who
-- has to wait there must not learn whose host it is, or that there is one. An unknown id gets no hash, like an unknown name.
create or replace function account.entry_challenge(
    p_short_id text,
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
        p_address, p_short_id,
        (select u.password_hash from host.of_link(p_short_id) as h join ccp.users as u on u.id = h.user_id)
    ) as c
$$;

revoke all on function account.entry_challenge(text, inet) from public;
grant execute on function account.entry_challenge(text, inet) to ccp_api;

comment on function account.entry_challenge(text, inet) is
'Before the owner''s password is checked at an entry link: the limits, then the hash to check against.';
