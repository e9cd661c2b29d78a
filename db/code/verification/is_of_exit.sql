-- Whether a check with this code, null if it passed, says something of the exit, and not only of the host or its machine.
create or replace function verification.is_of_exit(p_error_code text)
returns boolean
language sql
immutable
return coalesce(
    p_error_code in ('exit_mismatch', 'dns_failed', 'proxy_unreachable', 'mtu', 'inconclusive') or p_error_code like 'tunnel%',
    true
);

revoke all on function verification.is_of_exit(text) from public;

comment on function verification.is_of_exit(text) is
'Whether a check with this code says something of the exit.';
