-- Evidence: what is kept of a verification, and what the audit log says of it.
begin;
\ir ../hosts.psql
select plan(29);

create function t.record(
    p_outcome text, p_code text default null, p_at timestamptz default clock.now(), p_kind text default 'full', p_ip inet default '198.51.100.1'
) returns bigint language sql as $$
    select verification.record(
        t.agent(), t.host(), null, p_kind, p_outcome, p_code, p_ip,
        '[{"name": "exit", "outcome": "passed", "ms": 12, "detail": "three of three"}]', 104, p_at
    )
$$;
create function t.events() returns text language sql as $$
    select coalesce(string_agg(type || ' ' || level, ', ' order by id), '') from ccp.events where type <> 'egress.state'
$$;

select t.record('passed') as id \gset
select results_eq(
    format('select kind::text, outcome::text, error_code, observed_ip, duration_ms, process_id from ccp.verifications where id = %s', :id),
    $$values ('full', 'passed', null::text, inet '198.51.100.1', 104, t.agent())$$, 'what was found is kept'
);
select results_eq(
    format('select user_id, exit_label, expected_ip from ccp.verifications where id = %s', :id),
    $$select user_id, 'exit1', inet '198.51.100.1' from ccp.hosts$$, 'with whose host it was and which exit was expected'
);
select is(t.events(), '', 'a pass is no event');
select is(t.status(), 'stopped', 'evidence moves no host');

-- Time is the agent's, within reason.
select t.record('passed', null, clock.now() - interval '1 hour') is not null as done \gset
select is((select min(at) from ccp.verifications), clock.now() - interval '1 hour', 'evidence of an outage keeps its time');
select t.record('passed', null, clock.now() + interval '1 day') as ahead, t.record('passed', null, clock.now() - interval '1 year') as old \gset
select is((select at from ccp.verifications where id = :ahead), clock.now(), 'it is never of tomorrow');
select is((select at from ccp.verifications where id = :old), clock.now() - interval '28 days', 'nor of a month that may be gone');

-- The address that is expected is the exit's as it is now, the one that the agent compares with.
savepoint before;
update ccp.egress_ips set ip_address = '198.51.100.77';
select t.record('failed', 'exit_mismatch') as id \gset
select is((select expected_ip from ccp.verifications where id = :id), '198.51.100.77', 'a changed exit is expected where it is now');
select is((select message from ccp.events where type = 'egress.mismatch'), 'host abcdef left as 198.51.100.1, not as 198.51.100.77', 'the audit log says the same');
select is((select exit_address from ccp.host_status), '198.51.100.77', 'so does what is said of the host');
rollback to before;

-- What it means.
select t.at('2099-01-01');
select t.record('failed', 'exit_mismatch', clock.now(), 'light', '203.0.113.9') is not null as done \gset
select is(t.events(), 'egress.mismatch error', 'another address is a mismatch');
select is((select message from ccp.events where type = 'egress.mismatch'), 'host abcdef left as 203.0.113.9, not as 198.51.100.1', 'with both addresses');
select is(
    (select metadata ->> 'verification_id' from ccp.events where type = 'egress.mismatch')::bigint,
    (select max(id) from ccp.verifications), 'and where the evidence is'
);
select is((select user_id from ccp.events where type = 'egress.mismatch'), (select user_id from ccp.hosts), 'for the user to see');
select t.at('2099-01-01 00:01:00');
select t.record('failed', 'leak') is not null as leak, t.record('failed', 'inventory') is not null as inventory \gset
select is(t.events(), 'egress.mismatch error, egress.leak_blocked error', 'a wall that did not hold is a leak that was blocked, told once');
select t.at('2099-01-01 00:02:00');
select t.record('failed', 'tunnel_no_handshake') is not null as done \gset
select matches(t.events(), 'tunnel.lost error$', 'no handshake is a lost tunnel');
select t.at('2099-01-01 00:03:00');
select t.record('inconclusive', 'inconclusive') is not null as done \gset
select matches(t.events(), 'tunnel.lost error$', 'not knowing is no event');
select t.at('2099-01-01 00:04:00');
select t.record('failed', 'tunnel_no_handshake') is not null as done \gset
select t.at('2099-01-01 00:05:00');
select t.record('passed') is not null as done \gset
select matches(t.events(), 'egress.leak_blocked error, tunnel.lost error, tunnel.restored info$', 'it is told once, and the first pass is a tunnel restored');
select t.at('2099-01-01 00:06:00');
select t.record('passed') is not null as done \gset
select matches(t.events(), 'lost error, tunnel.restored info$', 'the second is not');

-- The answer got lost.
select t.at('2099-01-01 00:07:00');
select t.record('failed', 'exit_mismatch') as first, t.events() as told \gset
select is(t.record('failed', 'exit_mismatch'), :first::bigint, 'the same evidence sent again is the same row');
select is(t.events(), :'told', 'and told once');

-- What is refused.
select throws_ok($$select t.record('passed', 'leak')$$, '23514', null, 'a pass has no code');
select throws_ok($$select t.record('failed')$$, '23514', null, 'what did not pass has one');
select throws_ok($$select t.record('maybe', 'x')$$, '23514', null, 'outcomes are known');
select throws_ok($$select t.record('failed', 'x', clock.now(), 'deep')$$, '23514', null, 'kinds too');
select throws_ok(
    $$select verification.record(t.agent(), gen_random_uuid(), null, 'full', 'passed', null, null, '[]', 1, clock.now())$$,
    'CP404', 'there is no such host', 'the host exists'
);
select throws_ok(
    $$select verification.record(0, t.host(), null, 'full', 'passed', null, null, '[]', 1, clock.now())$$, 'CP401', null, 'so does the agent'
);
select throws_ok(
    $$select verification.record(t.agent(), t.host(), null, 'full', 'passed', null, null, '{}', 1, clock.now())$$, '23514', null,
    'checks are a list'
);
create temporary table other as select (process.register('ccp-agent', 'node2', 3, 'test')).*;
select throws_ok(
    $$select verification.record((select process_id from other), t.host(), null, 'full', 'passed', null, null, '[]', 1, clock.now())$$,
    'CP403', null, 'an agent proves the hosts of its own node only'
);

select * from finish();
rollback;
