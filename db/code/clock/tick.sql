-- Makes time pass for the rules: dead processes, deadlines, expiry, reconciliation, months, the daily retention. Called
-- by the worker each second and by pg_cron each minute; false: another holds the tick. Locked hosts and users are left
-- for the next tick, and a failure for one of them is a warning that stops no other: no step waits longer than 200 ms
-- for a lock, and each process, task, user and host is a unit of its own.
create or replace function clock.tick(p_who text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '200ms'
as $$
declare
    v_now timestamptz := clock.now();
    v_step text;
begin
    -- Whether pg_cron still comes is told by its ticks: nobody else may say so.
    if session_user in ('ccp_worker', 'ccp_cron') and session_user <> 'ccp_' || p_who then
        perform access.refuse(
            'CP403', 'not_your_tick', format('%s may not tick as %s', session_user, p_who), '{}', 'tick in your own name'
        );
    end if;
    -- Before all that such a session could hold up.
    begin
        perform access.limit_sessions();
    exception
        when others then
            raise warning 'sessions are not limited before the next tick: %', sqlerrm;
    end;
    update ccp.ticks set seen_at = v_now where who = p_who;
    if not found then
        perform access.refuse(
            'CP422', 'validation', format('%s does not tick', quote_literal(p_who)), '{"field": "p_who"}',
            'ccp.ticks lists who does'
        );
    end if;
    -- A row's lock, and not an advisory one, which every role that can log in could hold for ever.
    perform from ccp.task_kinds as k where k.kind = 'events.retain' for no key update skip locked;
    if not found then
        return false;
    end if;

    -- After an outage, when no process could beat, the grace starts again.
    update ccp.ticks as t
    set
        ticked_at = v_now,
        grace_at = case
            when v_now - t.gap_limit > (select max(p.ticked_at) from ccp.ticks as p) then v_now
            else t.grace_at
        end
    where t.who = p_who;

    foreach v_step in array array[
        'event.make_months', 'process.declare_silent_dead', 'clock.enforce_deadlines', 'account.enforce', 'clock.reconcile_all',
        'access.penalties_forget', 'event.retain_daily'
    ]
    loop
        begin
            execute format('select %s()', v_step);
        exception
            when others then
                raise warning '%() has to wait for the next tick: %', v_step, sqlerrm;
        end;
    end loop;
    return true;
end
$$;

revoke all on function clock.tick(text) from public;
grant execute on function clock.tick(text) to ccp_worker, ccp_cron;

comment on function clock.tick(text) is
'Makes time pass for the rules; false if another holds the tick.';
