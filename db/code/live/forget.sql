-- Forgets what was written more than 15 minutes ago, so long after a client may come back and miss nothing. Each 10 s a mark
-- says which transactions have ended; the newest mark that is old enough says what may go, and stays as the oldest, so that
-- live.cursor_read() knows. Touches rows that nobody waits for; deletes a bounded number at once.
create or replace function live.forget()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_floor ccp.change_marks;
begin
    insert into ccp.change_marks (at, ended_before)
    select clock.now(), pg_snapshot_xmin(pg_current_snapshot())
    where not exists (select from ccp.change_marks as m where m.at > clock.now() - interval '10 seconds');
    select m.*
    into v_floor
    from ccp.change_marks as m
    where m.at <= clock.now() - interval '15 minutes'
    order by m.at desc
    limit 1;
    if not found then
        return;
    end if;
    delete from ccp.change_marks as m
    where m.at < v_floor.at;
    delete from ccp.changes as c
    where c.ctid = any (array(
        select o.ctid
        from ccp.changes as o
        where o.xid < v_floor.ended_before
        order by o.xid
        limit 10000
    ));
end
$$;

revoke all on function live.forget() from public;

comment on function live.forget() is
'Forgets what was written more than 15 minutes ago.';
