-- A page of a host's evidence that fits the filters, in the order of p_sort. The caller decides whose it is.
create or replace function verification.page(
    p_host_id uuid,
    p_outcome ccp.outcome[],
    p_kind ccp.verification_kind[],
    p_sort api.by_time,
    p_limit api.page_size,
    p_cursor api.cursor
)
returns api.verification_page
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('verifications', p_sort, p_cursor);
    v_verifications api.verification[];
begin
    execute format(
        $query$
        select array(
            select v
            from api.verification as v
            where v.host_id = $4
                and ($5 is null or v.outcome = any ($5))
                and ($6 is null or v.kind = any ($6))
                and (v.time, v.id::bigint) %1$s ($1, $2)
            order by v.time %2$s, v.id::bigint %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction
    )
    into v_verifications
    using v_after.at, v_after.number, p_limit + 1, p_host_id, p_outcome::text[], p_kind::text[];
    return api.page('verifications', p_sort, p_limit, v_verifications);
end
$$;

revoke all on function verification.page(
    uuid, ccp.outcome[], ccp.verification_kind[], api.by_time, api.page_size, api.cursor
) from public;
grant execute on function verification.page(
    uuid, ccp.outcome[], ccp.verification_kind[], api.by_time, api.page_size, api.cursor
) to ccp_as_user;

comment on function verification.page(
    uuid, ccp.outcome[], ccp.verification_kind[], api.by_time, api.page_size, api.cursor
) is
'A page of the verifications that fit the filters.';
