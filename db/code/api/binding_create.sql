-- POST /v1/admin/bindings: gives a host an exit.
create or replace function api.binding_create(
    p_login_id uuid,
    p_generation integer,
    p_host_id uuid,
    p_egress_ip_id uuid,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.binding
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_ids jsonb := account.idempotency_begin('binding', p_idempotency_key, p_request_sha256);
    v_id uuid := (v_ids ->> 'id')::uuid;
    v_binding api.binding;
begin
    if v_id is null then
        v_id := host.bind(p_host_id, p_egress_ip_id);
        perform account.idempotency_save(p_idempotency_key, 201, jsonb_build_object('id', v_id));
    end if;
    select b.id, b.host_id, h.short_id, b.user_id, b.egress_ip_id, b.exit_label, b.exit_address, b.created_at
    into v_binding
    from ccp.bindings as b
    join ccp.hosts as h on h.id = b.host_id
    where b.id = v_id;
    if not found then
        perform api.not_found('binding_not_found', 'binding');
    end if;
    return v_binding;
end
$$;

revoke all on function api.binding_create(uuid, integer, uuid, uuid, ccp.request_key, ccp.sha256) from public;
grant execute on function api.binding_create(uuid, integer, uuid, uuid, ccp.request_key, ccp.sha256) to ccp_api;

comment on function api.binding_create(uuid, integer, uuid, uuid, ccp.request_key, ccp.sha256) is
'POST /v1/admin/bindings.';
