-- What the states of 10,000 exits cost: a tick, a check and a look at one read what they need by an index, whatever there is
-- besides. auto_explain shows the plans of what the functions run, in a session of its own; so this file commits.
begin;
\ir ../hosts.psql
insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address)
select 'many ' || n, '198.51.100.2', '198.51.100.2:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.3/32'
from generate_series(1, 10000) as n;
insert into ccp.verifications (at, egress_ip_id, host_id, user_id, process_id, kind, outcome, error_code, checks, duration_ms)
select
    now() - n * interval '1 minute', e.id, h.id, h.user_id, t.agent(), 'light', case when n > 1 then 'passed' else 'inconclusive' end,
    case when n = 1 then 'inconclusive' end, '[]', 100
from ccp.egress_ips as e, ccp.hosts as h, generate_series(1, 15) as n
where e.label like 'many%';
insert into ccp.exit_states (egress_ip_id, state, look_at)
select e.id, 'degraded', now() + interval '1 minute' from ccp.egress_ips as e where e.label like 'many%';
update ccp.exit_states
set look_at = now()
where egress_ip_id in (select e.id from ccp.egress_ips as e where e.label like 'many%7');
commit;
analyze ccp.exit_states, ccp.verifications, ccp.egress_ips;

\setenv PGOPTIONS '-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_level=notice -c auto_explain.log_nested_statements=on -c auto_explain.log_analyze=on -c auto_explain.log_timing=off -c client_min_messages=notice'
\set seen `psql -XAtq -h :'HOST' -U :'USER' -d :'DBNAME' -c 'select egress.note_states(null, 100)' -c 'set role ccp_agent' -c "select verification.record(t.agent(), t.host(), null, 'light', 'failed', 'mtu', null, '[]', 1, now())" 2>&1`

begin;
select plan(5);
create temporary table plans as
select p.text
from regexp_split_to_table(:'seen', 'NOTICE:  duration') as p (text);
select matches(:'seen'::text, '(?n)^[0-9a-f-]{36}$', 'a batch was looked at, and there is more');
select is((select count(*)::integer from plans where text ~ 'where s.look_at'), 1, 'one query finds it');
select ok((select bool_and(text ~ 'Index Scan using exit_states_to_look_at') from plans where text ~ 'where s.look_at'), 'by its index');
select is_empty(
    $$select text from plans where text ~ 'Seq Scan on (exit_states|verifications_\w+|egress_ips|bindings)\M.*rows=[1-9]'$$,
    'nothing big is read whole'
);
select is_empty(
    $$select text from plans where text ~ 'Rows Removed by Filter: [0-9]{3}'$$, 'and no index is walked past what does not fit'
);
select * from finish();
rollback;
