-- PUT /v1/admin/users/{id}/expiry; null: never. The tick ends or brings back what the user has.
create or replace function api.user_set_expiry(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_expires_at timestamptz,
    p_if_match text default null
)
returns api.user
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select api.user_update(
        p_login_id, p_generation, p_id, p_expires_at => p_expires_at, p_if_match => p_if_match
    )
$$;

revoke all on function api.user_set_expiry(uuid, integer, uuid, timestamptz, text) from public;
grant execute on function api.user_set_expiry(uuid, integer, uuid, timestamptz, text) to ccp_api;

comment on function api.user_set_expiry(uuid, integer, uuid, timestamptz, text) is
'PUT /v1/admin/users/{id}/expiry.';
