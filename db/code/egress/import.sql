-- An administrator registers an exit out of what a provider gave, as ccp-api read it (api/importing.h): returns its id. Secrets
-- come sealed. What it assumes beyond that a notice says, as ccp-api import says its own.
create or replace function egress.import(p_read ccp.object)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_refusal constant jsonb := p_read -> 'refusal';
    v_import record;
    v_fields api.import_fields;
    v_warning jsonb;
begin
    if v_refusal is not null then
        perform access.refuse(
            'CP422', 'invalid', format('The text cannot be imported: %s.', v_refusal ->> 'message'),
            jsonb_build_object('errors', jsonb_build_array(v_refusal))
        );
    end if;
    v_import := egress.import_fields(p_read);
    if v_import.is_named then
        perform api.bad_field(
            'server', 'must be given: the text has a name, which is not looked up; give the address that it has'
        );
    end if;
    for v_warning in
        select w.item
        from jsonb_array_elements(v_import.warnings) as w (item)
        where not p_read -> 'warnings' @> jsonb_build_array(w.item)
    loop
        raise notice '%', v_warning ->> 'message';
    end loop;
    v_fields := jsonb_populate_record(null::api.import_fields, v_import.fields);
    return egress.add(
        v_fields.label, v_fields.ip_address,
        p_wg_endpoint => v_fields.wg_endpoint,
        p_wg_public_key => v_fields.wg_public_key,
        p_wg_dns_server => v_fields.wg_dns_server,
        p_wg_peer_address => v_fields.wg_peer_address::inet,
        p_wg_preshared_key_sealed => p_read ->> 'wg_preshared_key_sealed',
        p_tunnel_type => v_fields.tunnel_type,
        p_wg_allowed_ips => v_fields.wg_allowed_ips::cidr[],
        p_wg_mtu => v_fields.wg_mtu,
        p_proxy_config => v_fields.proxy_config,
        p_dns_server => v_fields.dns_server,
        p_secret_sealed => p_read ->> 'secret_sealed',
        p_wg_own_public_key => v_fields.wg_own_public_key,
        p_ip_address6 => v_fields.ip_address6,
        p_wg_peer_address6 => v_fields.wg_peer_address6::inet
    );
end
$$;

revoke all on function egress.import(ccp.object) from public;
grant execute on function egress.import(ccp.object) to ccp_admin;

comment on function egress.import(ccp.object) is
'An administrator registers an exit out of what ccp-api import read; returns its id.';
