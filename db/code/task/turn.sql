-- The place of a new task in its queue. Requesters and kinds take turns: a task comes one turn after the last that the same
-- requester waits for with the same kind, and never before what is being done now. So fifty tasks of one requester lie in
-- fifty turns, and the first of another comes with the next of them. Two at once may get the same turn.
create or replace function task.turn(p_queue text, p_kind text, p_by text)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Plans are kept, also from when the queue was empty and reading all of it was cheap: each look reads one row of an index.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
begin
    return greatest(
        0,
        (
            select t.turn + 1
            from ccp.task_rows as t
            where t.queue = p_queue and t.created_by = p_by and t.kind = p_kind and t.status = 'queued'
            order by t.turn desc
            limit 1
        ),
        (
            select t.turn
            from ccp.task_rows as t
            where t.queue = p_queue and not t.housekeeping and t.status = 'queued'
            order by t.turn
            limit 1
        ),
        (
            select max(t.turn)
            from ccp.task_rows as t
            where t.queue = p_queue and t.status = 'running'
        )
    );
end
$$;

revoke all on function task.turn(text, text, text) from public;

comment on function task.turn(text, text, text) is
'The place of a new task in its queue, in which requesters and kinds take turns.';
