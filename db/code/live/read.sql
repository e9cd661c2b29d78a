-- One step of the one reader that a process has: everything that was written since a cursor and up to another (or now), as
-- frames for administrators (user_id is null), if any listen, and for those users who do. All of it is of one snapshot, so a
-- row never goes back. What a user is told is read as ccp_as_user, bound by row-level security.
--
--     cursor   data is where this step ends: the next one begins there. Hand it out after live.flush() only
--     frame    data is the text of an event of a topic
--     resync   so much has changed, or since so long, that the lists of the topic are to be read again; no topic: of all
--     login    a login of user_id may have ended: see live.ended()
create or replace function live.read(
    p_cursor text, p_until text, p_topics text[], p_for_admins boolean, p_user_ids uuid[]
)
returns table (what text, topic text, user_id uuid, data text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_rows_max constant integer := 500;
    v_since pg_snapshot := live.cursor_read(p_cursor);
    v_until pg_snapshot := coalesce(live.cursor_read(p_until), pg_current_snapshot());
    v_resync text[] := array[]::text[];
    v_part record;
begin
    return query select 'cursor', null::text, null::uuid, live.cursor(v_until);
    if v_since is null then
        return query select 'resync', null::text, null::uuid, null::text where p_cursor is not null;
        return;
    end if;
    for v_part in
        select c.topic, c.user_id, c.ids, c.times
        from live.changed(v_since, v_until, p_topics, p_user_ids) as c
    loop
        continue when v_part.topic = any (v_resync);
        if v_part.topic = 'logins' then
            return query select 'login', null::text, i.id::uuid, null::text from unnest(v_part.ids) as i (id);
        elsif cardinality(v_part.ids) > v_rows_max or '*' = any (v_part.ids) then
            v_resync := v_resync || v_part.topic;
            return query select 'resync', v_part.topic, null::uuid, null::text;
        elsif v_part.user_id is not null then
            perform set_config('ccp.user_id', v_part.user_id::text, true);
            return query
            select 'frame', v_part.topic, v_part.user_id, f.text
            from api.own_live_frames(v_part.topic, v_part.ids, v_part.times) as f (text);
        elsif p_for_admins then
            return query
            select 'frame', v_part.topic, null::uuid, f.text
            from live.frames(0, v_part.topic, v_part.ids, v_part.times) as f (text);
        end if;
    end loop;
end
$$;

revoke all on function live.read(text, text, text[], boolean, uuid[]) from public;
grant execute on function live.read(text, text, text[], boolean, uuid[]) to ccp_api;

comment on function live.read(text, text, text[], boolean, uuid[]) is
'What was written since a cursor, for the live streams of administrators and of some users.';
