-- An exit, as the HTTP routes answer it.
create or replace view api.egress_ip with (security_invoker = true) as
select
    e.id,
    e.label,
    e.ip_address,
    e.ip_address6,
    e.provider,
    e.status,
    coalesce(s.state, 'available') as state,
    coalesce(s.since, e.created_at) as state_since,
    s.why as state_why,
    e.tunnel_type,
    e.wg_endpoint,
    e.wg_public_key,
    e.wg_preshared_key_sealed is not null as has_preshared_key,
    e.wg_allowed_ips::text[] as wg_allowed_ips,
    e.wg_dns_server,
    e.wg_peer_address::text as wg_peer_address,
    e.wg_peer_address6::text as wg_peer_address6,
    e.wg_mtu,
    e.wg_own_public_key,
    e.proxy_config,
    e.dns_server,
    e.secret_sealed is not null as has_secret,
    b.id as binding_id,
    b.host_id,
    e.version::text as version,
    e.created_at,
    e.updated_at
from ccp.egress_ips as e
left join ccp.exit_states as s on s.egress_ip_id = e.id
left join ccp.bindings as b on b.egress_ip_id = e.id and b.ended_at is null;
comment on view api.egress_ip is 'An exit and the tunnel to it.';
comment on column api.egress_ip.id is 'Identity.';
comment on column api.egress_ip.label is 'What people call it.';
comment on column api.egress_ip.ip_address is 'The address the world must see.';
comment on column api.egress_ip.ip_address6 is 'The IPv6 address the world must see besides (or null: no IPv6).';
comment on column api.egress_ip.provider is 'Who sells it (or null).';
comment on column api.egress_ip.status is 'active, or disabled: takes no new binding.';
comment on column api.egress_ip.state is 'What checks of the last 10 minutes say of it: available, degraded, down, or disabled.';
comment on column api.egress_ip.state_since is 'When it became so.';
comment on column api.egress_ip.state_why is 'Why it is so (or null: nothing speaks against it).';
comment on column api.egress_ip.tunnel_type is 'How traffic gets there.';
comment on column api.egress_ip.wg_endpoint is 'Address and port of the exit (or null).';
comment on column api.egress_ip.wg_public_key is 'The exit''s public key (base64) (or null).';
comment on column api.egress_ip.has_preshared_key is 'Whether a preshared key is set; the key itself is never shown.';
comment on column api.egress_ip.wg_allowed_ips is 'Networks that are routed into the tunnel (or null).';
comment on column api.egress_ip.wg_dns_server is 'The only resolver a host behind this exit may ask (or null).';
comment on column api.egress_ip.wg_peer_address is 'Our address inside the tunnel (or null).';
comment on column api.egress_ip.wg_peer_address6 is 'Our IPv6 address inside the tunnel (or null).';
comment on column api.egress_ip.wg_mtu is 'MTU of the tunnel in bytes (or null).';
comment on column api.egress_ip.wg_own_public_key is 'Our own key there, when the provider made the pair (or null).';
comment on column api.egress_ip.proxy_config is 'The proxy, without any secret (or null).';
comment on column api.egress_ip.dns_server is 'The only resolver a host behind this proxy may ask (or null).';
comment on column api.egress_ip.has_secret is 'Whether a secret is set; the secret itself is never shown.';
comment on column api.egress_ip.binding_id is 'What ties a host to it now (or null).';
comment on column api.egress_ip.host_id is 'The host that leaves through it now (or null).';
comment on column api.egress_ip.version is 'Rises with each edit; the ETag.';
comment on column api.egress_ip.created_at is 'When it was made.';
comment on column api.egress_ip.updated_at is 'When it was last edited.';

create type api.egress_ip_page as (egress_ips api.egress_ip[], next_cursor text);
comment on type api.egress_ip_page is 'A page of exits, newest first.';
comment on column api.egress_ip_page.egress_ips is 'The exits.';
comment on column api.egress_ip_page.next_cursor is 'Where the next page begins (or null).';
