-- Drops one month of events or verifications, the only way they leave. Needs the parent for an instant: if that takes
-- longer than 100 ms it gives up and answers false, so that no query waits behind it; call again later.
create or replace function event.drop_month(p_table text, p_month date)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$
declare
    v_part text := p_table || to_char(p_month, '_YYYY_MM');
begin
    if p_table not in ('events', 'verifications') then
        perform access.refuse(
            'CP422', 'invalid', format('%s has no months', p_table), jsonb_build_object('field', 'p_table'),
            'say events or verifications'
        );
    end if;
    if p_month >= date_trunc('month', clock.now() at time zone 'UTC')::date then
        perform access.refuse(
            'CP409', 'month_is_live', 'this month is not over yet', jsonb_build_object('month', p_month),
            'drop an earlier month'
        );
    end if;
    if to_regclass('ccp.' || quote_ident(v_part)) is null then
        return false;
    end if;
    execute format('drop table ccp.%I', v_part);
    return true;
exception
    when lock_not_available then
        return false;
end
$$;

revoke all on function event.drop_month(text, date) from public;

comment on function event.drop_month(text, date) is
'Drops one past month of events or verifications; false if it was not there or is in use right now.';
