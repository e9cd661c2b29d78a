-- Ticks every rule, each in a transaction of its own, and again while there is more to do, for at most 40 s. For pg_cron, which
-- comes once a minute. The caller must not be in a transaction, so it has no settings and no rights of its own.
create or replace procedure clock.tick_all(p_who text)
language plpgsql
as $$
declare
    v_until timestamptz := clock_timestamp() + interval '40 seconds';
    v_rule text;
    v_more boolean;
begin
    loop
        v_more := false;
        foreach v_rule in array array(select clock.rules())
        loop
            v_more := clock.tick(p_who, v_rule) = 'more' or v_more;
            commit;
        end loop;
        exit when not v_more or clock_timestamp() > v_until;
    end loop;
end
$$;

revoke all on procedure clock.tick_all(text) from public;
grant execute on procedure clock.tick_all(text) to ccp_cron;

comment on procedure clock.tick_all(text) is -- noqa: LT01
'Ticks every rule in a transaction of its own, again while there is more; for pg_cron.';
