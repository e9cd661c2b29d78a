-- Makes time pass for one rule of ccp.tick_rules, or, without one, for all of them in this transaction. Called rule by rule, by
-- the worker each second and by pg_cron each minute (clock.tick_all): each is a transaction of its own then, so what one has done
-- stays done whatever becomes of the next, and none has to do more than a batch. Answers done, more (its batch was full: tick
-- again at once) or busy (another does this rule now). Locked hosts and users are left for the next tick, and a failure for
-- one of them is a warning that stops no other: no step waits longer than 200 ms for a lock, and each process, task, user and
-- host is a unit of its own.
create or replace function clock.tick(p_who text, p_rule text default null)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '200ms'
as $$
declare
    v_rule text;
    v_answer text;
    v_ret text := 'busy';
begin
    -- Whether pg_cron still comes is told by its ticks: nobody else may say so.
    if session_user in ('ccp_worker', 'ccp_cron') and session_user <> 'ccp_' || p_who then
        perform access.refuse(
            'CP403', 'not_your_tick', format('%s may not tick as %s', session_user, p_who), '{}', 'tick in your own name'
        );
    end if;
    update ccp.ticks set seen_at = clock.now() where who = p_who;
    if not found then
        perform access.refuse(
            'CP422', 'invalid', format('%s does not tick', quote_literal(p_who)), '{"field": "p_who"}',
            'ccp.ticks lists who does'
        );
    end if;
    for v_rule in
        select r.rule
        from ccp.tick_rules as r
        where r.rule = coalesce(p_rule, r.rule)
        order by r.place
    loop
        v_answer := clock.run_rule(p_who, v_rule);
        v_ret := case when 'more' in (v_answer, v_ret) then 'more' when 'done' in (v_answer, v_ret) then 'done' else 'busy' end;
    end loop;
    return v_ret;
end
$$;

revoke all on function clock.tick(text, text) from public;
grant execute on function clock.tick(text, text) to ccp_worker, ccp_cron;

comment on function clock.tick(text, text) is
'Makes time pass for one rule or for all: done, more or busy.';
