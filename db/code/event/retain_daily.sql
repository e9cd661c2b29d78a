-- Enqueues the retention: once a day, and a minute after one that left something behind.
create or replace function event.retain_daily()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_last ccp.task_rows;
begin
    select t.*
    into v_last
    from ccp.task_rows as t
    where t.kind = 'events.retain'
    order by t.created_at desc
    limit 1;
    if not found
        or v_last.created_at <= clock.now() - interval '1 day'
        or (
            v_last.finished_at <= clock.now() - interval '1 minute'
            and (v_last.result @> '{"more": true}' or v_last.result @> '{"months_in_use": true}')
        )
    then
        perform task.submit('events.retain', null, '{}', null, 'tick');
    end if;
end
$$;

revoke all on function event.retain_daily() from public;

comment on function event.retain_daily() is
'Enqueues the retention once a day.';
