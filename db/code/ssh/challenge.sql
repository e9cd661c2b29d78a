-- Before a password is checked: the limits, then the hash to check it against. An unknown host, and one without a
-- password, get a hash that nothing matches and that costs as much, so that time tells nothing.
create or replace function ssh.challenge(p_process_id bigint, p_address inet, p_short_id text)
returns table (verdict text, retry_after_s integer, password_hash text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_wait_s integer := access.penalty_check(p_address, p_short_id);
begin
    perform process.require(p_process_id);
    if v_wait_s > 0 then
        return query select 'limited', v_wait_s, null::text;
        return;
    end if;
    return query
    select 'go', 0, coalesce(
        (select h.ssh_password_hash from ccp.hosts as h where h.short_id = p_short_id and h.status <> 'deleted'),
        '$y$j9T$tHMIPUZyPMitOfoxXmIiC0$u2T22CNXonTtGt8h826GGUQ0SGHDCBdAOIEwrqGgaD0'
    );
end
$$;

revoke all on function ssh.challenge(bigint, inet, text) from public;
grant execute on function ssh.challenge(bigint, inet, text) to ccp_sshproxy;

comment on function ssh.challenge(bigint, inet, text) is
'Limits first, then the hash to check a password against: go or limited.';
