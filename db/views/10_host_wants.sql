-- What is wanted of each host now, for people and for the other views; host.wanted_of() decides it.
create or replace view ccp.host_wants with (security_barrier) as
select
    h.id as host_id,
    account.state(u.disabled_at, u.expires_at) as user_state,
    host.wanted_of(
        h.desired, account.state(u.disabled_at, u.expires_at),
        host.gives_way(o.disk_excess, n.disk_short_since, n.drained_at)
    ) as wanted,
    format('%s desires it %s', u.username, h.desired)
    || case
        when n.drained_at is not null then ', but its node is drained'
        when host.gives_way(o.disk_excess, n.disk_short_since, n.drained_at) then
            ', but it gives way: the disk of its node is nearly full'
        else ''
    end as why
from ccp.hosts as h
join ccp.users as u on u.id = h.user_id
join ccp.nodes as n on n.id = h.node_id
left join ccp.observations as o on o.host_id = h.id;
comment on view ccp.host_wants is 'What is wanted of each host now, its user''s state considered.';
comment on column ccp.host_wants.host_id is 'Id of the host.';
comment on column ccp.host_wants.user_state is 'active, expired or disabled.';
comment on column ccp.host_wants.wanted is
'What is wanted now: stopped for an expired or disabled user, and for what gives way on its node.';
comment on column ccp.host_wants.why is 'The answer, as a sentence.';
grant select on ccp.host_wants to ccp_dba;
