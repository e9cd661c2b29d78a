-- Makes the partitions of the next months, so that inserts never meet a month without one. A new partition is built
-- aside and attached: that does not wait for readers, "partition of" would. Does nothing when all are there.
create or replace function event.make_months(p_ahead integer default 3)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_table text;
    v_month date;
    v_part text;
    v_made integer := 0;
begin
    for v_table, v_month in
        select t.name, (date_trunc('month', clock.now() at time zone 'UTC') + make_interval(months => m.ahead))::date
        from (values ('events'), ('verifications')) as t (name)
        cross join generate_series(-1, p_ahead) as m (ahead)
    loop
        v_part := v_table || to_char(v_month, '_YYYY_MM');
        continue when to_regclass('ccp.' || v_part) is not null;
        execute format('create table ccp.%I (like ccp.%I including defaults including constraints)', v_part, v_table);
        execute format('comment on table ccp.%I is %L', v_part, format('One month of ccp.%s.', v_table));
        execute format(
            'create trigger %I before update or delete or truncate on ccp.%I '
            'for each statement execute function event.refuse_change()',
            v_part || '_is_append_only', v_part
        );
        execute format(
            'alter table ccp.%I attach partition ccp.%I for values from (%L) to (%L)',
            v_table, v_part,
            v_month::text || ' 00:00:00+00', (v_month + interval '1 month')::date::text || ' 00:00:00+00'
        );
        v_made := v_made + 1;
    end loop;
    return v_made;
end
$$;

revoke all on function event.make_months(integer) from public;

comment on function event.make_months(integer) is
'Makes the partitions of events and verifications for the next months; returns how many it made.';
