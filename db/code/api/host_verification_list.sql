-- GET /v1/admin/hosts/{id}/verifications: the evidence of a host, also of a deleted one while its row is kept, newest
-- first unless asked otherwise.
create or replace function api.host_verification_list(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_outcome ccp.outcome[] default null,
    p_kind ccp.verification_kind[] default null,
    p_sort api.by_time default '-time',
    p_limit api.page_size default 50,
    p_cursor api.cursor default null
)
returns api.verification_page
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    if not exists (select from ccp.hosts as h where h.id = p_id) then
        perform api.not_found('host_not_found', 'host');
    end if;
    return verification.page(p_id, p_outcome, p_kind, p_sort, p_limit, p_cursor);
end
$$;

revoke all on function api.host_verification_list(
    uuid, integer, uuid, ccp.outcome[], ccp.verification_kind[], api.by_time, api.page_size, api.cursor
) from public;
grant execute on function api.host_verification_list(
    uuid, integer, uuid, ccp.outcome[], ccp.verification_kind[], api.by_time, api.page_size, api.cursor
) to ccp_api;

comment on function api.host_verification_list(
    uuid, integer, uuid, ccp.outcome[], ccp.verification_kind[], api.by_time, api.page_size, api.cursor
) is
'GET /v1/admin/hosts/{id}/verifications: the evidence of a host.';
