-- The fields of an exit out of what was read of a pasted text (api/importing.h): with server, ip_address, ip_address6, dns_server
-- and label as the request says, else as the text does, else assumed with a warning. is_named: the server is a name, which is not
-- looked up.
create or replace function egress.import_fields(
    p_read jsonb, out fields jsonb, out warnings jsonb, out is_named boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_resolver constant text := case when p_read ? 'row' then 'wg_dns_server' else 'dns_server' end;
    v_server text := p_read ->> 'server';
    v_endpoint text := p_read #>> '{row,wg_endpoint}';
begin
    warnings := p_read -> 'warnings';
    fields := coalesce(
        p_read -> 'row', jsonb_build_object('tunnel_type', 'proxy', 'proxy_config', p_read -> 'proxy_config')
    ) || jsonb_build_object('label', p_read -> 'label');
    if v_server is not null then
        warnings := (
            select coalesce(jsonb_agg(w.item), '[]') from jsonb_array_elements(warnings) as w (item)
            where w.item ->> 'word' <> 'server_is_a_name'
        );
        fields := case
            when p_read ? 'row' then jsonb_set(
                fields, '{wg_endpoint}', to_jsonb(
                    format(
                        case when v_server like '%:%' then '[%s]:%s' else '%s:%s' end,
                        v_server, substring(v_endpoint from '\d+$')
                    )
                )
            )
            else jsonb_set(fields, '{proxy_config,server}', to_jsonb(v_server))
        end;
    end if;
    v_server := coalesce(
        v_server, p_read #>> '{proxy_config,server}', btrim(substring(v_endpoint from '^(.*):\d+$'), '[]')
    );
    is_named := not setting.is_network(v_server);
    if p_read ? 'ip_address' then
        fields := fields || jsonb_build_object('ip_address', p_read -> 'ip_address');
    elsif not is_named then
        fields := fields || jsonb_build_object('ip_address', v_server);
        warnings := warnings || jsonb_build_object(
            'word', 'ip_address_assumed',
            'message', format('the world is assumed to see %s, the server''s address: give ip_address if it is another', v_server)
        );
    end if;
    -- Without it what the text says of IPv6 is left out, with a warning.
    if p_read ? 'ip_address6' then
        fields := fields || jsonb_build_object(
            'ip_address6', p_read -> 'ip_address6', 'wg_peer_address6', p_read -> 'wg_peer_address6'
        );
        warnings := (
            select coalesce(jsonb_agg(w.item), '[]') from jsonb_array_elements(warnings) as w (item)
            where w.item ->> 'word' <> 'ipv6_ignored'
        );
        if fields ? 'wg_allowed_ips' then
            fields := jsonb_set(fields, '{wg_allowed_ips}', '["0.0.0.0/0", "::/0"]');
        end if;
    end if;
    if p_read ? 'dns_server' then
        fields := fields || jsonb_build_object(v_resolver, p_read -> 'dns_server');
    elsif fields ->> v_resolver is null then
        fields := fields || jsonb_build_object(v_resolver, setting.get('import_dns_server'));
        warnings := warnings || jsonb_build_object(
            'word', 'dns_server_assumed',
            'message', format(
                'the text names no resolver: %s of the setting import_dns_server is taken, give dns_server for another',
                setting.get('import_dns_server') #>> '{}'
            )
        );
    end if;
end
$$;

revoke all on function egress.import_fields(jsonb) from public;

comment on function egress.import_fields(jsonb) is
'The fields of an exit out of what was read of a pasted text.';
