-- The network that answers for an address: the address itself for IPv4, its /64 for IPv6.
create or replace function access.penalty_network(p_address inet)
returns cidr
language sql
immutable
strict
set search_path = pg_catalog, pg_temp
as $$
    select network(set_masklen(p_address, case family(p_address) when 4 then 32 else 64 end))
$$;

revoke all on function access.penalty_network(inet) from public;

comment on function access.penalty_network(inet) is
'The network that answers for an address: /32 for IPv4, /64 for IPv6.';
