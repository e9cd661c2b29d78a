-- POST /v1/admin/hosts/{id}/rotate-ssh-password. The password comes hashed; the API puts it into the answer's place,
-- once.
create or replace function api.host_rotate_ssh_password(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_ssh_password_hash text,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.ssh_password
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('rotate ' || p_id, p_idempotency_key, p_request_sha256);
    v_short_id text;
begin
    select h.short_id
    into v_short_id
    from api.host as h
    where h.id = p_id;
    if not found then
        perform api.not_found('host_not_found', 'host');
    end if;
    if v_ids is not null then
        return row(p_id, v_short_id, null)::api.ssh_password;
    end if;
    perform host.rotate_ssh_password(p_id, p_ssh_password_hash);
    perform account.idempotency_save(p_idempotency_key, 200, jsonb_build_object('id', p_id));
    return row(p_id, v_short_id, '')::api.ssh_password;
end
$$;

revoke all on function api.host_rotate_ssh_password(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) from public;
grant execute on function api.host_rotate_ssh_password(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.host_rotate_ssh_password(uuid, integer, uuid, text, ccp.request_key, ccp.sha256) is
'POST /v1/admin/hosts/{id}/rotate-ssh-password.';
