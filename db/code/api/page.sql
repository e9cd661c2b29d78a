-- The answer of a list: a page of the rows that its query found, which asks for one more than fits, and where the next
-- page begins if there is that one. A list is ordered by the member that p_sort names, and by id.
create or replace function api.page(
    p_list text,
    p_sort text,
    p_limit integer,
    p_found anyarray,
    out items anyarray,
    out next_cursor text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_last jsonb;
begin
    items := p_found[:p_limit];
    if cardinality(p_found) > p_limit then
        v_last := to_jsonb(p_found[p_limit]);
        next_cursor := api.cursor(p_list, p_sort, (v_last ->> ltrim(p_sort, '-'))::timestamptz, v_last ->> 'id');
    end if;
end
$$;

revoke all on function api.page(text, text, integer, anyarray) from public;
grant execute on function api.page(text, text, integer, anyarray) to ccp_as_user;

comment on function api.page(text, text, integer, anyarray) is
'The answer of a list: what fits of the rows that were found, and where the next page begins.';
