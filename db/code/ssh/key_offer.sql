-- Whether a signature by this key would be accepted: ok for a registered key of the host's user or a live one-time key,
-- also while others' mistakes make this name wait at this address; else auth_invalid, or too_many_attempts with the
-- seconds to wait. Nobody guesses a key.
create or replace function ssh.key_offer(
    p_process_id bigint,
    p_address inet,
    p_short_id text,
    p_key_sha256 text,
    out verdict ccp.verdict,
    out retry_after_s integer
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.require(p_process_id);
    if exists (
        select
        from ccp.hosts as h
        where h.short_id = p_short_id
            and h.status <> 'deleted'
            and (
                exists (
                    select
                    from ccp.ssh_keys as k
                    where k.user_id = h.user_id and k.key_sha256 = p_key_sha256
                )
                or ssh.grant_id(h.id, p_key_sha256) is not null
            )
    ) then
        verdict := 'ok';
        retry_after_s := 0;
        return;
    end if;
    retry_after_s := access.penalty_check(p_address, p_short_id);
    verdict := case when retry_after_s > 0 then 'too_many_attempts' else 'auth_invalid' end;
end
$$;

revoke all on function ssh.key_offer(bigint, inet, text, text) from public;
grant execute on function ssh.key_offer(bigint, inet, text, text) to ccp_sshproxy;

comment on function ssh.key_offer(bigint, inet, text, text) is
'Whether a signature by this key would be taken: yes, no or limited.';
