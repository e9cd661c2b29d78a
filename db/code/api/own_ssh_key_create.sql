-- POST /v1/user/ssh-keys: registers a public key.
create or replace function api.own_ssh_key_create(
    p_login_id uuid,
    p_generation integer,
    p_public_key ccp.ssh_public_key,
    p_name ccp.label default 'key',
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.ssh_key
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_ids jsonb := account.idempotency_begin('ssh_key', p_idempotency_key, p_request_sha256);
    v_id uuid := (v_ids ->> 'id')::uuid;
    v_key api.ssh_key;
begin
    if v_ids is null then
        v_id := account.register_key(v_user_id, p_public_key, p_name);
        perform account.write_event('key.registered', format('a public key named %s was registered', p_name), null);
        perform account.idempotency_save(p_idempotency_key, 201, jsonb_build_object('id', v_id));
    end if;
    select *
    into v_key
    from api.ssh_key as k
    where k.id = v_id;
    if not found then
        perform api.not_found('ssh_key_not_found', 'key');
    end if;
    return v_key;
end
$$;

alter function api.own_ssh_key_create(
    uuid, integer, ccp.ssh_public_key, ccp.label, ccp.request_key, ccp.sha256
) owner to ccp_as_user;
revoke all on function api.own_ssh_key_create(
    uuid, integer, ccp.ssh_public_key, ccp.label, ccp.request_key, ccp.sha256
) from public;
grant execute on function api.own_ssh_key_create(
    uuid, integer, ccp.ssh_public_key, ccp.label, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.own_ssh_key_create(uuid, integer, ccp.ssh_public_key, ccp.label, ccp.request_key, ccp.sha256) is
'POST /v1/user/ssh-keys: registers a public key.';
