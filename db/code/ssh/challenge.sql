-- Before a password is checked: the limits, then the hash to check it against. An unknown host, and one without a
-- password, get a hash that nothing matches and that costs as much, so that time tells nothing.
create or replace function ssh.challenge(
    p_process_id bigint,
    p_address inet,
    p_short_id text,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out password_hash text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.require(p_process_id);
    select c.verdict, c.retry_after_s, c.password_hash
    into verdict, retry_after_s, password_hash
    from access.challenge(
        p_address, p_short_id,
        coalesce(
            (select h.ssh_password_hash from ccp.hosts as h where h.short_id = p_short_id and h.status <> 'deleted'),
            '$y$j9T$tHMIPUZyPMitOfoxXmIiC0$u2T22CNXonTtGt8h826GGUQ0SGHDCBdAOIEwrqGgaD0'
        )
    ) as c;
end
$$;

revoke all on function ssh.challenge(bigint, inet, text) from public;
grant execute on function ssh.challenge(bigint, inet, text) to ccp_sshproxy;

comment on function ssh.challenge(bigint, inet, text) is
'Limits first, then the hash to check a password against: go or limited.';
