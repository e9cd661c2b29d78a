-- What the checks of the last 10 minutes say of an exit that is not disabled, why, and when that may change by itself. The ones
-- since the last that passed weigh most: one failure closes a host, and what is tried next tells a tunnel that was lost from
-- an exit that is dead. What was inconclusive neither passed nor failed.
create or replace function egress.judge(
    p_egress_ip_id uuid, out state ccp.exit_state, out why text, out look_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seen record;
    v_failed record;
begin
    select
        min(c.at) as first_at,
        max(c.at) filter (where c.outcome = 'passed') as passed_at,
        count(*) filter (where c.outcome <> 'passed') as not_passed,
        (array_agg(c.error_code order by c.at desc) filter (where c.outcome <> 'passed'))[1] as code
    into v_seen
    from egress.checks(p_egress_ip_id) as c;
    state := 'available';
    if v_seen.not_passed = 0 then
        why := case when v_seen.first_at is null then 'it was not checked in the last 10 minutes' end;
        return;
    end if;
    look_at := v_seen.first_at + interval '10 minutes';
    select count(*) as times, (array_agg(c.error_code order by c.at desc))[1] as code
    into v_failed
    from egress.checks(p_egress_ip_id) as c
    where c.outcome = 'failed'
        and (v_seen.passed_at is null or c.at > v_seen.passed_at);
    if v_failed.times >= 2 or v_failed.times = 1 and v_seen.passed_at is null then
        state := 'down';
        why := format(
            case v_failed.times
                when 1 then 'the only check of the last 10 minutes that found something out failed (%2$s)'
                else 'its last %1$s checks failed, the last one with %2$s'
            end,
            v_failed.times, v_failed.code
        );
        return;
    end if;
    state := 'degraded';
    why := format(
        case v_seen.not_passed
            when 1 then 'one check of the last 10 minutes did not pass (%2$s)'
            else '%1$s checks of the last 10 minutes did not pass, the last one of them with %2$s'
        end,
        v_seen.not_passed, v_seen.code
    );
end
$$;

revoke all on function egress.judge(uuid) from public;

comment on function egress.judge(uuid) is
'What the checks of the last 10 minutes say of an exit, why, and when that may change by itself.';
