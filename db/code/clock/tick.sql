-- Makes time pass for the rules: dead processes, deadlines, expiry, reconciliation, months, the daily retention.
-- Called by the worker each second and by pg_cron each minute; false: another holds the tick. Hosts and users that
-- somebody else holds are left for the next tick, and what fails for one host is a warning, not an end for all.
create or replace function clock.tick(p_who text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := clock.now();
    v_heard_since timestamptz;
    v_row record;
    v_last ccp.task_rows;
begin
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

    perform event.make_months();

    -- After an outage nobody could beat: the grace starts anew.
    update ccp.ticks as t
    set
        ticked_at = v_now,
        grace_at = case
            when v_now - t.gap_limit > (select max(p.ticked_at) from ccp.ticks as p) then v_now
            else t.grace_at
        end
    where t.who = p_who;
    select greatest(max(t.grace_at), pg_postmaster_start_time())
    into v_heard_since
    from ccp.ticks as t;

    if v_heard_since < v_now - interval '20 seconds' then
        for v_row in
            select p.id
            from ccp.processes as p
            where p.ended_at is null and p.beat_at < v_now - interval '20 seconds'
            order by p.id
            for no key update skip locked
        loop
            perform process.bury(v_row.id, 'silent');
        end loop;
    end if;

    perform clock.keep_deadlines();
    perform account.enforce();
    perform clock.reconcile_all();

    delete from ccp.penalties
    where expires_at < v_now;
    -- Once a day, and a minute after one that left something behind.
    select t.*
    into v_last
    from ccp.task_rows as t
    where t.kind = 'events.retain'
    order by t.created_at desc
    limit 1;
    if not found
        or v_last.created_at <= v_now - interval '1 day'
        or (
            v_last.finished_at <= v_now - interval '1 minute'
            and (v_last.result @> '{"more": true}' or v_last.result @> '{"months_in_use": true}')
        )
    then
        perform task.submit('events.retain', null, '{}', null, 'tick');
    end if;
    return true;
end
$$;

revoke all on function clock.tick(text) from public;
grant execute on function clock.tick(text) to ccp_worker, ccp_cron;

comment on function clock.tick(text) is
'Makes time pass for the rules; false if another holds the tick.';
