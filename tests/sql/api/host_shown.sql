-- What a list of hosts shows of each: why it is so, its last proof, its task, its sessions, how to come in.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(25);

select t.at('2099-01-01');
create function t.shown() returns api.host language sql as $$ select api.own_host_get(t.login('alice'), 1, t.host()) $$;
select is((t.shown()).why, (select why from ccp.host_status), 'why is the sentence that people read');
select is((api.host_get(t.login('boss'), 1, t.host())).why, (select why from ccp.host_status), 'for admins too');
select is((api.own_host_list(t.login('alice'), 1)).hosts[1], t.shown(), 'a list shows what the one does');
select is((api.host_list(t.login('boss'), 1)).hosts[1], api.host_get(t.login('boss'), 1, t.host()), 'for admins too');
insert into ccp.hosts (short_id, user_id, node_id, image, created_at) select 'second', user_id, node_id, 'image', '2000-01-01' from ccp.hosts;
select is(
    (select string_agg(h.why, '|') from unnest((api.host_list(t.login('boss'), 1)).hosts) as h),
    (select string_agg(s.why, '|' order by s.host) from ccp.host_status as s), 'each has its own, in the list''s order'
);
select is(api.host_why('{}'), '{}'::api.host[], 'of no host there is none');

-- Task.
select is((t.shown()).live_task, null, 'nothing is being done');
select t.ask('host.start');
select is((t.shown()).live_task.kind || ' ' || (t.shown()).live_task.status, 'host.start queued', 'a task waits');
select t.claim();
select task.progress(id, lease, 'verifying', 70, 'asks three sources') from ccp.task_rows where status = 'running';
select t.ask('host.stop');
select is(
    (t.shown()).live_task, row(k.id, 'host.start', 'running', k.stage, k.progress, k.message)::api.live_task, 'of two the one that runs is shown'
)
from ccp.task_rows as k where k.status = 'running';

-- Proofs.
select is((t.shown()).last_proof, null, 'nothing is proven');
insert into ccp.observations (host_id, process_id, sequence, state, observed_at) values (t.host(), t.agent(), 1, 'running', clock.now());
select is((t.shown()).last_proof, null, 'nor by being seen');
update ccp.observations set proven_at = '2099-01-01 00:00:10', proof_ends_at = '2099-01-01 00:15';
select is((t.shown()).last_proof, row('2099-01-01 00:00:10', 'light', 'passed', null, '2099-01-01 00:15')::api.proof, 'a light one leaves its time');
insert into ccp.verifications (host_id, user_id, process_id, kind, outcome, error_code, observed_ip, checks, duration_ms, at)
values
    (t.host(), t.user('alice'), 1, 'start', 'passed', null, '198.51.100.1', '[]', 1, '2099-01-01 00:00:05'),
    (t.host(), t.user('alice'), 1, 'full', 'failed', 'exit_mismatch', '198.51.100.2', '[]', 1, '2099-01-01 00:00:01');
select is((t.shown()).last_proof, row('2099-01-01 00:00:10', 'light', 'passed', '198.51.100.1', '2099-01-01 00:15')::api.proof, 'with the address that was seen last');
update ccp.observations set proven_at = '2099-01-01 00:00:05';
select is((t.shown()).last_proof.kind, 'start', 'the evidence is of that proof');
insert into ccp.verifications (host_id, user_id, process_id, kind, outcome, error_code, observed_ip, checks, duration_ms, at)
values (t.host(), t.user('alice'), 1, 'full', 'failed', 'exit_mismatch', '198.51.100.2', '[]', 1, '2099-01-01 00:00:20');
select is((t.shown()).last_proof, row('2099-01-01 00:00:20', 'full', 'failed', '198.51.100.2', '2099-01-01 00:15')::api.proof, 'one that failed is shown');

-- Sessions.
select is((t.shown()).session_count, 0, 'nobody is in it');
insert into ccp.sessions (user_id, host_id, process_id, method, address, ended_at, end_reason)
select t.user('alice'), t.host(), t.agent(), 'key', '192.0.2.1', s.ended_at, case when s.ended_at is not null then 'closed' end
from unnest(array[null, null, clock.now()]) as s (ended_at);
select is((t.shown()).session_count, 2, 'two are, one has gone');

-- The way in.
select is((t.shown()).ssh, row(null, 2222, 'abcdef', null)::api.ssh_way, 'a new installation has no way in');
create function t.connection() returns api.connection language sql as $$ select api.host_connection(t.login('boss'), 1, t.host()) $$;
select results_eq(
    'select c.short_id, c.host_key_sha256, c.curl_line, c.entry_line, c.ssh_line, c.known_hosts_line from t.connection() as c',
    $$values ('abcdef', null::text, null::text, null::text, null::text, null::text)$$, 'nor lines'
);
select setting.put('ssh_host', '"ssh.example"');
select setting.put('ssh_host_key', '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"');
select setting.put('public_url', '"https://ccp.example/''x/"');
select is((t.shown()).ssh.host, 'ssh.example', 'settings make one');
select results_eq(
    'select c.curl_line, c.entry_line, c.ssh_line, c.known_hosts_line from t.connection() as c',
    $$values (
        'curl -sSf ''https://ccp.example/''\''''x/v1/bootstrap/script'' | bash -s -- --host abcdef',
        'curl -sSf ''https://ccp.example/''\''''x/entry/abcdef'' | bash', 'ssh -p 2222 abcdef@ssh.example',
        '[ssh.example]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    )$$, 'and lines'
);
select matches((t.connection()).host_key_sha256, '^SHA256:[A-Za-z0-9+/]{43}$', 'with the key''s fingerprint');
select setting.put('ssh_port', '22');
select is(split_part((t.connection()).known_hosts_line, ' ', 1), 'ssh.example', 'the usual port is not written');
select throws_ok($$select api.host_connection(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', null, 'of a host that is there');
select throws_ok($$select api.host_connection(t.login('alice'), 1, t.host())$$, 'CP403', null, 'for admins');

select * from finish();
rollback;
