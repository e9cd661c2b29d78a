-- What was found of an exit in the last 10 minutes by its hosts' verifications, by the clocks of those who looked, and by tests.
-- What arrives late counts as old as it is.
create or replace function egress.checks(p_egress_ip_id uuid)
returns table (at timestamptz, outcome ccp.outcome, error_code text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select v.at, v.outcome, v.error_code
    from ccp.verifications as v
    where v.egress_ip_id = p_egress_ip_id
        and v.at > clock.now() - interval '10 minutes'
        and v.at <= clock.now()
        and verification.is_of_exit(v.error_code)
    union all
    select t.ended_at, t.outcome, t.error_code
    from ccp.exit_tests as t
    where t.egress_ip_id = p_egress_ip_id
        and t.ended_at > clock.now() - interval '10 minutes'
        and t.outcome is not null
        and verification.is_of_exit(t.error_code)
$$;

revoke all on function egress.checks(uuid) from public;

comment on function egress.checks(uuid) is
'What was found of an exit in the last 10 minutes.';
