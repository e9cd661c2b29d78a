-- What a cursor names. Without one: what comes before the first row of any newest-first list. A text that is no cursor of
-- ours is refused with the field's name.
create or replace function api.cursor_read(p_cursor text, out at timestamptz, out id uuid, out number bigint)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_text text;
begin
    if p_cursor is null then
        at := 'infinity';
        id := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
        number := 9223372036854775807;
        return;
    end if;
    if p_cursor ~ '^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2,3})?$' then
        v_text := encode(
            decode(translate(p_cursor, '-_', '+/') || repeat('=', (4 - length(p_cursor) % 4) % 4), 'base64'), 'escape'
        );
    end if;
    if v_text ~ '^[0-9]{1,16} ([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{1,18})$' then
        at := timestamptz 'epoch' + split_part(v_text, ' ', 1)::bigint * interval '1 microsecond';
        if split_part(v_text, ' ', 2) ~ '-' then
            id := split_part(v_text, ' ', 2)::uuid;
        else
            number := split_part(v_text, ' ', 2)::bigint;
        end if;
        return;
    end if;
    perform access.refuse(
        'CP422', 'invalid', 'cursor must be the next_cursor of an earlier answer.',
        '{"errors": [{"field": "cursor", "message": "must be the next_cursor of an earlier answer"}]}'
    );
end
$$;

revoke all on function api.cursor_read(text) from public;
grant execute on function api.cursor_read(text) to ccp_as_user;

comment on function api.cursor_read(text) is
'What a cursor names; without one, what comes before the first row of any newest-first list.';
