-- Evidence of one host says nothing of another; evidence that differs in anything is another.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(13);

select t.at('2099-01-01');
create function t.record(
    p_outcome text default 'failed', p_code text default 'leak', p_host_id uuid default t.host(), p_kind text default 'full', p_detail text default 'x',
    p_at timestamptz default clock.now(), p_ip inet default '198.51.100.1'
) returns bigint language sql as $$
    select verification.record(
        t.agent(), p_host_id, null, p_kind, p_outcome, p_code, p_ip,
        jsonb_build_array(jsonb_build_object('name', 'exit', 'outcome', 'passed', 'ms', 12, 'detail', p_detail)), 104, p_at
    )
$$;
create function t.last() returns text language sql as $$ select concat_ws(' ', level, type, message, metadata ->> 'error_code') from ccp.events where type <> 'egress.state' order by id desc limit 1 $$;
select t.record() as first \gset
select is(t.record(), :first::bigint, 'the same evidence is the same row');
select isnt(t.record(p_kind => 'light'), :first::bigint, 'of another kind it is another');
select isnt(t.record(p_code => 'inventory'), :first::bigint, 'with another code');
select isnt(t.record(p_detail => 'y'), :first::bigint, 'with another detail');
select isnt(t.record(p_at => clock.now() - interval '1 second'), :first::bigint, 'of another time');
select isnt(t.record(p_host_id => t.second()), :first::bigint, 'or of another host');
select is(
    (select concat_ws(' ', exit_label, expected_ip, user_id is not null) from ccp.verifications where host_id = t.second()), 'exit2 198.51.100.2 t', 'which has its own exit'
);
select is(t.last(), 'error egress.leak_blocked host ghijkl was closed: its wall did not hold (leak) leak', 'a leak that was blocked');
update ccp.bindings set ended_at = clock.now() where exit_label = 'exit2';
select t.at('2099-01-01 00:00:01');
select t.record('failed', 'exit_mismatch', t.second(), p_ip => null) is not null as done \gset
select is(t.last(), 'error egress.mismatch host ghijkl left as an unknown address, not as any known exit exit_mismatch', 'an ended binding is no exit');
select t.record('failed', 'tunnel_lost', t.second()) is not null as done \gset
select is(t.last(), 'error tunnel.lost the tunnel of host ghijkl is gone tunnel_lost', 'a tunnel that is gone');
select t.at('2099-01-01 00:00:02');
select t.record('passed', null, t.host()) is not null as done \gset
select is(t.last(), 'error tunnel.lost the tunnel of host ghijkl is gone tunnel_lost', 'is not back because another host''s is');
select t.record('passed', null, t.second()) is not null as done \gset
select is(t.last(), 'info tunnel.restored the tunnel of host ghijkl is back', 'but by its own');
select t.at('2099-01-01 00:00:03');
select t.record('inconclusive', c.code, t.host()) from unnest('{tunnel_unknown,exit_mismatch,leak}'::text[]) as c (code);
select t.record('failed', 'dns_failed', t.host()) is not null as done \gset
select is(t.last(), 'info tunnel.restored the tunnel of host ghijkl is back', 'what is not known, or says nothing of the tunnel, is no event');

select * from finish();
rollback;
