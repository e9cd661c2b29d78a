-- Does one rule of the tick if its time has come: one batch of it, from where the last one ended. A failure is kept in the
-- rule's row, where ccp.doctor reads it, and undoes this rule's work only.
create or replace function clock.run_rule(p_who text, p_rule text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := clock.now();
    v_rule ccp.tick_rules;
    v_after uuid;
    v_error text;
begin
    -- A row's lock, and not an advisory one, which every role that can log in could hold for ever.
    select r.*
    into v_rule
    from ccp.tick_rules as r
    where r.rule = p_rule
    for no key update skip locked;
    if not found then
        return 'busy';
    end if;
    -- After an outage, when no process could beat, the grace starts again.
    update ccp.ticks as t
    set
        ticked_at = v_now,
        grace_at = case
            when v_now - t.gap_limit > (select max(p.ticked_at) from ccp.ticks as p) then v_now
            else t.grace_at
        end
    where t.who = p_who
        and t.ticked_at is distinct from v_now;
    if v_rule.after_id is null and v_rule.last_at + v_rule.every > v_now then
        return 'done';
    end if;

    begin
        if v_rule.batch is null then
            execute format('select %s()', v_rule.rule);
        else
            execute format('select %s($1, $2)', v_rule.rule) into v_after using v_rule.after_id, v_rule.batch;
        end if;
    exception
        when others then
            v_error := sqlerrm;
            raise warning '%() has to wait for the next tick: %', v_rule.rule, v_error;
    end;
    update ccp.tick_rules
    set
        last_at = v_now,
        after_id = v_after,
        failed_at = case when v_error is not null then coalesce(failed_at, v_now) end,
        error = left(v_error, 2000)
    where rule = p_rule;
    return case when v_after is null then 'done' else 'more' end;
end
$$;

revoke all on function clock.run_rule(text, text) from public;

comment on function clock.run_rule(text, text) is
'Does one rule of the tick if its time has come: done, more or busy.';
