-- Trigger: what happened is written once. By statement, so that it also refuses a change of no rows, and for the owner
-- too.
create or replace function event.refuse_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.refuse(
        'CP403', 'append_only',
        format('%s refuses %s: what happened is never changed', tg_table_name, lower(tg_op)),
        jsonb_build_object('table', tg_table_name),
        'old months leave as a whole by event.drop_month()'
    );
    return null;
end
$$;

revoke all on function event.refuse_change() from public;

comment on function event.refuse_change() is
'Trigger: events and verifications are written once and never changed.';
