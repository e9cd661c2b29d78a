-- An opaque cursor that names the last row of a page: the list, its order, microseconds since 1970 and id, base64url.
create or replace function api.cursor(p_list text, p_sort text, p_at timestamptz, p_id text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select translate(
        encode(
            convert_to(
                concat_ws(' ', p_list, p_sort, (extract(epoch from p_at) * 1000000)::bigint, p_id), 'UTF8'
            ),
            'base64'
        ),
        '+/=' || chr(10), '-_'
    )
$$;

revoke all on function api.cursor(text, text, timestamptz, text) from public;
grant execute on function api.cursor(text, text, timestamptz, text) to ccp_as_user;

comment on function api.cursor(text, text, timestamptz, text) is
'An opaque cursor that names the last row of a page.';
