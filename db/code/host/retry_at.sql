-- When reconciliation may try again after so many failures in a row: 5 s, doubling to 1 h.
create or replace function host.retry_at(p_failures integer)
returns timestamptz
language sql
stable
return clock.now() + least(interval '5 seconds' * power(2, least(p_failures, 20) - 1), interval '1 hour');

revoke all on function host.retry_at(integer) from public;

comment on function host.retry_at(integer) is
'When reconciliation may try again after so many failures in a row.';
