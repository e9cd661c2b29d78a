-- When reconciliation may try again after so many failures in a row, the last with that code: 5 s, doubling to 1 h; infinity
-- after one that does not pass by itself (ccp.lasting_failures).
create or replace function host.retry_at(p_failures integer, p_code text)
returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when exists (select from ccp.lasting_failures as f where f.code = p_code) then 'infinity'
        else clock.now() + least(interval '5 seconds' * power(2, least(p_failures, 20) - 1), interval '1 hour')
    end
$$;

revoke all on function host.retry_at(integer, text) from public;

comment on function host.retry_at(integer, text) is
'When reconciliation may try again after so many failures in a row; infinity: when somebody has changed something.';
