-- A rule of the tick: releases a batch of tasks whose process is dead, because they were locked when it was declared dead, were
-- more than could be released then, or were claimed just then; in the order of their ids from p_after on, so that one that
-- stays locked keeps no other waiting. Returns the last id if there may be more, else null.
create or replace function task.release_orphans(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_until timestamptz := clock.batch_end();
    v_count integer := 0;
    v_row record;
begin
    for v_row in
        select t.id, t.lease
        from ccp.task_rows as t
        join ccp.processes as p on p.id = t.process_id
        where t.status = 'running'
            and p.ended_at is not null
            and (p_after is null or t.id > p_after)
        order by t.id
        limit p_limit
    loop
        perform task.try_release_orphan(v_row.id, v_row.lease);
        v_count := v_count + 1;
        if v_count = p_limit or clock_timestamp() > v_until then
            return v_row.id;
        end if;
    end loop;
    return null;
end
$$;

revoke all on function task.release_orphans(uuid, integer) from public;

comment on function task.release_orphans(uuid, integer) is
'Releases a batch of tasks whose process is dead; returns where the next one begins.';
