-- Somebody came and left without having been let in, in a way that ccp.penalty_rules counts: no_auth, grace, crash.
create or replace function ssh.abandon(p_process_id bigint, p_address inet, p_short_id text, p_reason text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform process.require(p_process_id);
    perform access.penalty_add(p_address, p_short_id, p_reason);
end
$$;

revoke all on function ssh.abandon(bigint, inet, text, text) from public;
grant execute on function ssh.abandon(bigint, inet, text, text) to ccp_sshproxy;

comment on function ssh.abandon(bigint, inet, text, text) is
'Counts the penalty of somebody who left without having logged in: no_auth, grace or crash.';
