-- The snapshot of a cursor; null when what happened since cannot be told: it is of elsewhere, older than what is kept, or not
-- a cursor. One that is ahead of this server was given out by one that is gone.
create or replace function live.cursor_read(p_cursor text)
returns pg_snapshot
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_words text[];
    v_snapshot pg_snapshot;
begin
    if p_cursor is null or p_cursor !~ '^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2,3})?$' then
        return null;
    end if;
    v_words := regexp_match(
        encode(
            decode(translate(p_cursor, '-_', '+/') || repeat('=', (4 - length(p_cursor) % 4) % 4), 'base64'), 'escape'
        ),
        '^(.*) (\d{1,18}:\d{1,18}:(\d{1,18}(,\d{1,18})*)?)$'
    );
    if v_words is null or v_words[1] <> live.place() then
        return null;
    end if;
    v_snapshot := v_words[2]::pg_snapshot;
    if pg_snapshot_xmax(v_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
        or pg_snapshot_xmin(v_snapshot) < (select m.ended_before from ccp.change_marks as m order by m.at limit 1) then
        return null;
    end if;
    return v_snapshot;
exception
    when invalid_text_representation then
        return null;
end
$$;

revoke all on function live.cursor_read(text) from public;

comment on function live.cursor_read(text) is
'The snapshot of a cursor; null when what happened since cannot be told.';
