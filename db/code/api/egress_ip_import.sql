-- POST /v1/admin/egress-ips/import: what a pasted text says of an exit, and with p_save the exit. An Idempotency-Key counts
-- for what is saved.
create or replace function api.egress_ip_import(
    p_login_id uuid,
    p_generation integer,
    p_read ccp.object,
    p_save boolean default false,
    p_label ccp.label default null,
    p_ip_address ccp.address default null,
    p_dns_server ccp.address default null,
    p_server ccp.address default null,
    p_ip_address6 ccp.address default null,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null
)
returns api.egress_ip_import
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_read jsonb := p_read || jsonb_strip_nulls(jsonb_build_object(
        'label', p_label, 'ip_address', host(p_ip_address), 'ip_address6', host(p_ip_address6), 'dns_server', host(p_dns_server),
        'server', host(p_server)
    ));
    v_import record;
    v_ids jsonb;
    v_id uuid;
    v_answer api.egress_ip_import;
begin
    if p_save then
        v_ids := account.idempotency_begin('egress_ip_import', p_idempotency_key, p_request_sha256);
        v_id := (v_ids ->> 'id')::uuid;
        if v_ids is null then
            v_id := egress.import(v_read);
            perform account.idempotency_save(p_idempotency_key, 201, jsonb_build_object('id', v_id));
        end if;
        v_answer.egress_ip := api.egress_ip_get(p_login_id, p_generation, v_id);
        v_answer.refusals := '{}';
    else
        v_answer.refusals := egress.import_refusals(v_read);
    end if;
    v_answer.warnings := '{}';
    v_answer.secrets := '{}';
    if not v_read ? 'refusal' then
        v_import := egress.import_fields(v_read);
        v_answer.fields := jsonb_populate_record(null::api.import_fields, v_import.fields);
        v_answer.warnings := array(select jsonb_populate_recordset(null::api.import_warning, v_import.warnings));
        v_answer.secrets := array(select jsonb_array_elements_text(v_read -> 'secrets'));
    end if;
    return v_answer;
end
$$;

revoke all on function api.egress_ip_import(
    uuid, integer, ccp.object, boolean, ccp.label, ccp.address, ccp.address, ccp.address, ccp.address, ccp.request_key, ccp.sha256
) from public;
grant execute on function api.egress_ip_import(
    uuid, integer, ccp.object, boolean, ccp.label, ccp.address, ccp.address, ccp.address, ccp.address, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.egress_ip_import(
    uuid, integer, ccp.object, boolean, ccp.label, ccp.address, ccp.address, ccp.address, ccp.address, ccp.request_key, ccp.sha256
) is
'POST /v1/admin/egress-ips/import: what a pasted text says of an exit, and with p_save the exit.';
