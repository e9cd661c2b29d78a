-- 10,000 hosts: what a tick at rest looks at, and what it does when a third of them is wanted running at once.
begin;
\ir ../hosts.psql
select plan(15);

insert into ccp.users (username, short_id, expires_at)
select 'many' || n, 'm' || to_char(n, 'FM00000'), case when n > 9000 then now() - interval '1 day' end
from generate_series(1, 10000) as n;
set local session_replication_role = replica; -- by hand what triggers would do for each
insert into ccp.hosts (short_id, user_id, node_id, slot, image, status, desired, wg_public_key)
select
    u.short_id, u.id, n.id, 10 + row_number() over (order by u.short_id), 'image',
    case when u.short_id < 'm03334' or u.expires_at is not null then 'stopped' else 'running' end,
    case when u.short_id < 'm03334' then 'stopped' else 'running' end,
    repeat('B', 43) || '='
from ccp.users as u, ccp.nodes as n
where u.username like 'many%';
insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_allowed_ips, wg_dns_server, wg_peer_address)
select short_id, '198.51.100.1', '198.51.100.1:51820', repeat('A', 43) || '=', '{0.0.0.0/0}', '198.51.100.53', '10.9.0.2/32' from ccp.users where username like 'many%';
insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
select h.id, e.id, h.user_id, e.label, e.ip_address from ccp.hosts as h join ccp.egress_ips as e on e.label = h.short_id;
insert into ccp.observations (host_id, process_id, sequence, state, observed_at)
select h.id, t.agent(), 1, h.status, now() from ccp.hosts as h where h.status in ('running', 'stopped');
set local session_replication_role = origin;
update ccp.users set expiry_announced_at = now() where expires_at is not null;
analyze ccp.users, ccp.hosts, ccp.bindings, ccp.observations, ccp.egress_ips;
select clock.tick('worker');

-- Rows that were read, index entries and heap, as this transaction's own counters say.
create function t.reads(p_call text) returns bigint language plpgsql as $$
declare
    v_before bigint := (select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables);
begin
    execute 'select ' || p_call;
    return (select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables) - v_before;
end
$$;
select cmp_ok(t.reads($$clock.tick('worker', 'clock.reconcile_all')$$), '<', 5000::bigint, 'at rest reconciliation reads what is unlike desired: the hosts of expired users');
select cmp_ok(t.reads($$clock.tick('worker', 'account.enforce')$$), '<', 13000::bigint, 'enforcement reads expired and disabled users, and what runs at most once');
select cmp_ok(t.reads($$clock.tick('worker', 'clock.enforce_deadlines')$$), '<', 1000::bigint, 'deadlines read what runs');
select cmp_ok(t.reads($$clock.tick('worker', 'process.declare_silent_dead')$$), '<', 1000::bigint, 'silence is a matter of programs');
select cmp_ok(t.reads($$clock.tick('worker', 'clock.forget_failures')$$), '<', 1000::bigint, 'failures are in an index');
select cmp_ok(t.reads($$clock.tick('worker', 'clock.resume')$$), '<', 1000::bigint, 'so is what waits for somebody');
select cmp_ok(
    t.reads($$count(*) from (select h from api.host as h where (h.created_at, h.id) > ('-infinity', '00000000-0000-0000-0000-000000000000') order by h.created_at, h.id limit 50) as p$$),
    '<', 1000::bigint, 'a page of hosts, all ordered at the same instant, reads those of the page'
);
select cmp_ok(
    t.reads($$count(*) from (select u from api.user as u where (u.created_at, u.id) < ('infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff') order by u.created_at desc, u.id desc limit 50) as p$$),
    '<', 1000::bigint, 'and so does one of users'
);

-- A node is back.
update ccp.hosts set desired = 'running' where short_id < 'm03334' and short_id like 'm%';
select is(clock.tick('worker', 'clock.reconcile_all'), 'more', 'a third of all is wanted running: there is more than a batch');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.start'), 100, 'of which this is one');
select is(clock.tick('worker', 'clock.reconcile_all'), 'more', 'then the next');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.start'), 200, 'so that every rule has its time between them');
select is(clock.tick('worker', 'account.enforce'), 'done', 'as this one');
create function t.ticks() returns integer language plpgsql as $$
declare
    v_ticks integer := 1;
begin
    while clock.tick('worker', 'clock.reconcile_all') = 'more' loop
        v_ticks := v_ticks + 1;
    end loop;
    return v_ticks;
end
$$;
select is(t.ticks(), 32, 'the rest follows in as many batches as there are hundreds');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.start' and status = 'queued'), 3333, 'until each has its task');

select * from finish();
rollback;
