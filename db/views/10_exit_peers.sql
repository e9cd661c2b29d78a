-- What to register at a provider. A host that is moved has a peer at both of its exits until that has ended.
create or replace view ccp.exit_peers with (security_barrier) as
select
    b.egress_ip_id,
    e.wg_public_key as exit_public_key,
    coalesce(e.wg_own_public_key, h.wg_public_key) as host_public_key,
    host(e.wg_peer_address)::cidr as peer_address,
    host(e.wg_peer_address6)::cidr as peer_address6,
    h.id as host_id,
    format(
        '%s of host %s must be a peer of exit %s',
        concat_ws(' and ', host(e.wg_peer_address), host(e.wg_peer_address6)), h.short_id, e.label
    ) as why
from (
    select b.egress_ip_id, b.host_id
    from ccp.bindings as b
    where b.ended_at is null
    union
    select (t.params ->> 'egress_ip_id')::uuid, t.host_id
    from ccp.task_rows as t
    where t.kind = 'host.switch'
        and t.status in ('queued', 'running')
) as b
join ccp.egress_ips as e on e.id = b.egress_ip_id
join ccp.hosts as h on h.id = b.host_id
where e.tunnel_type = 'wireguard'
    and h.wg_public_key is not null
    and h.status <> 'deleted';
comment on view ccp.exit_peers is
'Which key must be known at which exit under which inside address: what to register at a provider. ccp_event rings when it '
'changes.';
comment on column ccp.exit_peers.egress_ip_id is 'Id of the exit.';
comment on column ccp.exit_peers.exit_public_key is 'The exit''s own key.';
comment on column ccp.exit_peers.host_public_key is 'The key to register.';
comment on column ccp.exit_peers.peer_address is 'The inside address to register it with.';
comment on column ccp.exit_peers.peer_address6 is
'The inside IPv6 address to register it with as well; null: the exit has no IPv6.';
comment on column ccp.exit_peers.host_id is 'Id of the host.';
comment on column ccp.exit_peers.why is 'The answer, as a sentence.';
grant select on ccp.exit_peers to ccp_dba;
