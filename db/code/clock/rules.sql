-- The rules of a tick, in their order, for those who call clock.tick() for each.
create or replace function clock.rules()
returns setof text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select r.rule
    from ccp.tick_rules as r
    order by r.place
$$;

revoke all on function clock.rules() from public;
grant execute on function clock.rules() to ccp_worker, ccp_cron;

comment on function clock.rules() is
'The rules of a tick, in their order.';
