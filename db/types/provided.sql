-- What a provider gave, as its import is answered.
create type api.import_warning as (word text, message text);
comment on type api.import_warning is 'What an import understood and does otherwise.';
comment on column api.import_warning.word is 'For programs.';
comment on column api.import_warning.message is 'For people.';

create type api.import_fields as (
    label ccp.label, ip_address ccp.address, ip_address6 ccp.address, tunnel_type ccp.tunnel_type, wg_endpoint text,
    wg_public_key ccp.wg_key, wg_own_public_key ccp.wg_key, wg_allowed_ips text[], wg_dns_server ccp.address,
    wg_peer_address text, wg_peer_address6 text, wg_mtu ccp.mtu, proxy_config ccp.object, dns_server ccp.address
);
comment on type api.import_fields is 'The fields of an exit that an import read, but for secrets.';
comment on column api.import_fields.label is 'What people call it.';
comment on column api.import_fields.ip_address is 'The address the world must see (or null while the server is a name).';
comment on column api.import_fields.ip_address6 is
'The IPv6 address the world must see besides, as the request gives it (or null: no IPv6).';
comment on column api.import_fields.tunnel_type is 'How traffic gets there.';
comment on column api.import_fields.wg_endpoint is 'Address, or name, and port of the exit (or null).';
comment on column api.import_fields.wg_public_key is 'The exit''s public key (base64) (or null).';
comment on column api.import_fields.wg_own_public_key is 'The public half of our key there (or null).';
comment on column api.import_fields.wg_allowed_ips is 'Networks that are routed into the tunnel (or null).';
comment on column api.import_fields.wg_dns_server is 'The only resolver a host behind this exit may ask (or null).';
comment on column api.import_fields.wg_peer_address is 'Our address inside the tunnel (or null).';
comment on column api.import_fields.wg_peer_address6 is
'Our IPv6 address inside the tunnel (or null: no IPv6).';
comment on column api.import_fields.wg_mtu is 'MTU of the tunnel in bytes (or null).';
comment on column api.import_fields.proxy_config is 'The proxy, without any secret (or null).';
comment on column api.import_fields.dns_server is 'The only resolver a host behind this proxy may ask (or null).';

create type api.egress_ip_import as (
    fields api.import_fields, secrets text[], warnings api.import_warning[], refusals api.problem_field[],
    egress_ip api.egress_ip
);
comment on type api.egress_ip_import is 'What a pasted text says of an exit.';
comment on column api.egress_ip_import.fields is 'What was read (or null when it is refused).';
comment on column api.egress_ip_import.secrets is
'The names of the secrets in it, which are sealed when it is saved and never shown.';
comment on column api.egress_ip_import.warnings is 'What was understood and is done otherwise, or assumed.';
comment on column api.egress_ip_import.refusals is
'Why it cannot be saved; empty if it can. A server that is a name is a warning: save it with its address as server.';
comment on column api.egress_ip_import.egress_ip is 'The exit (or null when it was not saved).';
