-- Where a page begins: after the row that a cursor names, or, without one, before the first row, which is where p_since is, or
-- downwards p_until. `relation` and
-- `direction` are for the list's query: rows that stand in this relation to (at, id), or to number, in this direction.
-- A list is newest first when p_sort begins with "-". A text that is not a cursor of this list in this order is refused
-- with the field's name.
create or replace function api.cursor_read(
    p_list text,
    p_sort text,
    p_cursor api.cursor,
    p_since timestamptz default '-infinity',
    p_until timestamptz default 'infinity',
    out at timestamptz,
    out id uuid,
    out number bigint,
    out relation text,
    out direction text
)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_descends boolean := p_sort like '-%';
    v_text text;
    v_words text[];
begin
    relation := case when v_descends then '<' else '>' end;
    direction := case when v_descends then 'desc' else 'asc' end;
    if p_cursor is null then
        at := case when v_descends then p_until else p_since end;
        id := '00000000-0000-0000-0000-000000000000';
        number := 0;
        return;
    end if;
    if p_cursor ~ '^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2,3})?$' then
        v_text := encode(
            decode(translate(p_cursor, '-_', '+/') || repeat('=', (4 - length(p_cursor) % 4) % 4), 'base64'), 'escape'
        );
    end if;
    v_words := string_to_array(v_text, ' ');
    if v_words[:2] = array[p_list, p_sort]
        and v_text ~ '^[a-z_]+ -?[a-z_]+ [0-9]{1,16} ([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{1,18})$' then
        at := timestamptz 'epoch' + v_words[3]::bigint * interval '1 microsecond';
        if v_words[4] ~ '-' then
            id := v_words[4]::uuid;
        else
            number := v_words[4]::bigint;
        end if;
        return;
    end if;
    perform access.refuse(
        'CP422', 'invalid', 'cursor must be the next_cursor of an earlier page of this list.',
        '{"errors": [{"field": "cursor", "message": "must be the next_cursor of an earlier page of this list"}]}'
    );
end
$$;

revoke all on function api.cursor_read(text, text, api.cursor, timestamptz, timestamptz) from public;
grant execute on function api.cursor_read(text, text, api.cursor, timestamptz, timestamptz) to ccp_as_user;

comment on function api.cursor_read(text, text, api.cursor, timestamptz, timestamptz) is
'Where a page begins: after the row that a cursor names, or before the first row; and which way it goes.';
