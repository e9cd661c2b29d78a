-- What the checks of the last 10 minutes say of an exit, each change told once, to the audit log and by the exit's host.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
\ir ../people.psql
select plan(43);

create function t.exit(p_label text default 'exit1') returns api.egress_ip language sql as $$
    select * from api.egress_ip where label = p_label
$$;
create function t.state() returns text language sql as $$ select (t.exit()).state $$;
create function t.check(p_at text, p_outcome text, p_code text default null, p_host uuid default t.host()) returns text
language plpgsql as $$
declare
    v_at timestamptz := '2099-01-01 ' || p_at;
begin
    perform t.at(v_at);
    perform verification.record(t.agent(), p_host, null, 'light', p_outcome, p_code, null, '[]', 100, v_at);
    return t.state();
end
$$;
create function t.tick(p_at text) returns text language plpgsql as $$
begin
    perform t.at(('2099-01-01 ' || p_at)::timestamptz);
    update ccp.tick_rules set last_at = null where rule = 'egress.note_states';
    perform clock.tick('worker', 'egress.note_states');
    return t.state();
end
$$;
create function t.told() returns text language sql as $$
    select string_agg(replace(message, 'exit exit1 is ', ''), ' | ' order by id) from ccp.events where type = 'egress.state'
$$;
create function t.noted() returns bigint language sql as $$
    select count(*) from ccp.changes where noun = 'parts' and row_id = t.host()::text and xid = pg_current_xact_id()
$$;
create function t.why() returns text language sql as $$ select why from ccp.host_status where host = 'abcdef' $$;

select t.at('2099-01-01 00:00:00');
update ccp.egress_ips set created_at = '2098-01-01';
select is(
    (select format('%s %s %s', (e).state, (e).state_since = '2098-01-01', (e).state_why) from t.exit() as e), 'available t ',
    'an exit that was never checked is available'
);
select is(t.check('00:00:10', 'passed'), 'available', 'so is one that passes');
select is(t.told(), null, 'of which nothing is told');
select is((select look_at from ccp.exit_states), null, 'and which is not looked at again');
select is(t.check('00:01:00', 'failed', 'leak'), 'available', 'a wall that does not hold says nothing of the exit');
select is(t.check('00:01:01', 'failed', 'docker_failed'), 'available', 'nor does Docker');
select is(t.check('00:02:00', 'inconclusive', 'inconclusive'), 'degraded', 'a check that shows nothing after one that passed');
select is((t.exit()).state_why, 'one check of the last 10 minutes did not pass (inconclusive)', 'says so');
select is((t.exit()).state_since, '2099-01-01 00:02:00', 'and since when');
select is(t.check('00:03:00', 'failed', 'tunnel_lost'), 'degraded', 'one failure after a pass: the tunnel may have been lost');
select is(
    (t.exit()).state_why, '2 checks of the last 10 minutes did not pass, the last one of them with tunnel_lost', 'the sentence goes on'
);
select is((t.exit()).state_since, '2099-01-01 00:02:00', 'but it is degraded since then');
select t.noted() as noted \gset
select is(t.check('00:03:05', 'failed', 'tunnel_no_handshake'), 'down', 'the next one tells: it is dead');
select is((t.exit()).state_why, 'its last 2 checks failed, the last one with tunnel_no_handshake', 'says so');
select is(t.noted() - :noted, 3::bigint, 'its host shows something new, beside the check and its time');
select is(t.check('00:03:30', 'inconclusive', 'inconclusive'), 'down', 'what shows nothing does not bring it back');
select is(t.check('00:04:00', 'failed', 'docker_failed'), 'down', 'nor does a failure for another reason');
select t.at('2099-01-01 00:05:05');
select is(t.why(), 'host abcdef of alice is made and does not run; its exit is down since 2 min', 'its host says it once');
select is((select why from ccp.host_status where host = 'ghijkl'), 'host ghijkl of alice is made and does not run', 'and no other');
select is(t.check('00:06:00', 'passed'), 'degraded', 'a pass brings it back, for so long degraded');
select is(t.why(), 'host abcdef of alice is made and does not run', 'which its host does not say');
select is(t.tick('00:12:59'), 'degraded', 'until the failures');
select is(t.tick('00:13:31'), 'available', 'are 10 minutes old');
select is((t.exit()).state_why, null, 'nothing speaks against it');
select is((select look_at from ccp.exit_states), null, 'and nothing will');
select is(t.check('00:20:00', 'failed', 'exit_mismatch'), 'down', 'a failure and nothing else in 10 minutes');
select is((t.exit()).state_why, 'the only check of the last 10 minutes that found something out failed (exit_mismatch)', 'is enough');
select is(t.tick('00:30:00'), 'available', 'until it is 10 minutes old');
select is((t.exit()).state_why, 'it was not checked in the last 10 minutes', 'which is no proof');
select t.at('2099-01-01 00:31:00');
select verification.record(t.agent(), t.host(), null, 'light', 'failed', 'dns_failed', null, '[]', 100, '2099-01-01 00:20:30');
select is(t.state(), 'available', 'what arrives late is as old as it is');
select is(
    t.told(),
    'degraded: one check of the last 10 minutes did not pass (inconclusive)'
    ' | down: its last 2 checks failed, the last one with tunnel_no_handshake'
    ' | degraded: 4 checks of the last 10 minutes did not pass, the last one of them with inconclusive'
    ' | available'
    ' | down: the only check of the last 10 minutes that found something out failed (exit_mismatch)'
    ' | available: it was not checked in the last 10 minutes',
    'each change is told once'
);
select is(
    (select metadata || jsonb_build_object('level', level) from ccp.events where type = 'egress.state' order by id limit 1),
    jsonb_build_object('egress_ip_id', (t.exit()).id, 'state', 'degraded', 'was', 'available', 'level', 'warning'), 'with both states'
);
select t.check('00:40:00', 'passed') as ignored \gset
select is(t.check('00:44:00', 'failed', 'mtu'), 'degraded', 'a pass and a failure');
select is(t.tick('00:50:00'), 'down', 'of which the pass is the older one');

-- Disabled.
update ccp.egress_ips set status = 'disabled' where label = 'exit1';
select is(t.state(), 'disabled', 'an administrator disables it');
select is((t.exit()).state_why, 'an administrator has disabled it', 'which is why');
select is(t.check('00:51:00', 'failed', 'mtu'), 'disabled', 'whatever is found');
update ccp.egress_ips set status = 'active' where label = 'exit1';
select is(t.state(), 'down', 'and counts when it is enabled again');
insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address, status)
values ('exit3', '198.51.100.2', '198.51.100.2:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.4/32', 'disabled');
select is((t.exit('exit3')).state, 'disabled', 'one that is made so');

-- The list, the counts.
create function t.labels(p_state text) returns text language sql as $$
    select string_agg(e.label, ',')
    from api.egress_ip_list(t.login('boss'), 1, p_state => p_state) as p, unnest(p.egress_ips) as e
$$;
select is(
    format('%s %s %s %s', t.labels('down'), t.labels('disabled'), t.labels('degraded'), t.labels('available')), 'exit1 exit3  exit2',
    'the list by state'
);
select is(
    (select format('%s %s', s.degraded_ips, s.down_ips) from api.dashboard_stats(t.login('boss'), 1) as s), '0 1', 'the dashboard counts'
);
delete from ccp.bindings where host_id = t.host();
delete from ccp.egress_ips where label = 'exit1';
select is((select count(*) from ccp.exit_states), 1::bigint, 'its state goes with an exit');
select is(t.check('00:52:00', 'failed', 'mtu'), null, 'and a host without one is checked all the same');

select * from finish();
rollback;
