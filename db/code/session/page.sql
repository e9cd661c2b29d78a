-- A page of the sessions that fit the filters, in the order of p_sort. The query is planned for its values, so it can use the
-- index that fits the filters.
create or replace function session.page(
    p_state api.session_state,
    p_kind ccp.session_kind,
    p_user_id uuid,
    p_host_id uuid,
    p_since timestamptz,
    p_until timestamptz,
    p_sort api.by_creation,
    p_limit api.page_size,
    p_cursor api.cursor
)
returns api.session_page
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('sessions', p_sort, p_cursor, p_since, p_until);
    v_sessions api.session[];
begin
    execute format(
        $query$
        select array(
            select s
            from api.session as s
            where ($4 = 'any' or ($4 = 'open' and s.ended_at is null) or ($4 = 'ended' and s.ended_at is not null))
                and ($5 is null or s.kind = $5)
                and ($6 is null or s.user_id = $6)
                and ($7 is null or s.host_id = $7)
                and s.created_at >= $8
                and s.created_at < $9
                and (s.created_at, s.id) %1$s ($1, $2)
            order by s.created_at %2$s, s.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_sessions
    using v_after.at, v_after.id, p_limit + 1, p_state, p_kind, p_user_id, p_host_id, p_since, p_until;
    return api.page('sessions', p_sort, p_limit, v_sessions);
end
$$;

revoke all on function session.page(
    api.session_state, ccp.session_kind, uuid, uuid, timestamptz, timestamptz, api.by_creation, api.page_size, api.cursor
) from public;
grant execute on function session.page(
    api.session_state, ccp.session_kind, uuid, uuid, timestamptz, timestamptz, api.by_creation, api.page_size, api.cursor
) to ccp_as_user;

comment on function session.page(
    api.session_state, ccp.session_kind, uuid, uuid, timestamptz, timestamptz, api.by_creation, api.page_size, api.cursor
) is
'A page of the sessions that fit the filters.';
