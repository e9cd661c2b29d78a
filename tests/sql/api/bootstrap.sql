-- The bootstrap script's routes: sign in and start, how far it is, how to get in.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(48);

select t.at('2099-01-01');
create function t.hash() returns text language sql as $$ select '$2b$10$' || repeat('a', 53) $$;
update ccp.users set password_hash = t.hash();
update ccp.hosts set created_at = '2000-01-02';
insert into ccp.hosts (short_id, user_id, node_id, image, status, created_at)
select 'ghijkl', user_id, node_id, 'image', 'stopped', timestamptz '2000-01-01' from ccp.hosts;
insert into ccp.hosts (short_id, user_id, node_id, image, status, created_at)
select 'bosses', t.user('boss'), node_id, 'image', 'stopped', timestamptz '2000-01-01' from ccp.hosts where short_id = 'abcdef';
create sequence t.poll;
grant usage on t.poll to public;
create function t.sign_in(p_host text default 'abcdef', p_user text default 'alice', p_matched boolean default true) returns text language sql as $$
    select concat_ws(' ', s.verdict, s.retry_after_s, s.sentence, (s.answer).stage_code, (s.answer).stage_text, nullif((s.answer).poll_token, ''),
        (s.answer).status_url = '/v1/bootstrap/tasks/' || (s.answer).task_id,
        (select h.short_id || ' ' || k.kind || ' ' || k.status from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id where k.id = (s.answer).task_id))
    from api.bootstrap_session_create(
        p_user, '198.51.100.7', p_matched, t.hash(), lpad(to_hex(nextval('t.poll')), 64, '0'), 'ssh-ed25519 ' || encode('key', 'base64'), p_host
    ) as s
$$;
create function t.start() returns ccp.task_rows language sql as $$ select * from ccp.task_rows where kind = 'host.start' order by created_at desc limit 1 $$;
create function t.token(p_number integer) returns text language sql as $$ select lpad(to_hex(p_number), 64, '0') $$;

-- Which host.
select is(t.sign_in('ghijkl'), 'egress_binding_missing 0 Host ghijkl has no exit; ask your administrator to bind one.', 'a host without an exit is not started');
select is(t.sign_in(null), 'egress_binding_missing 0 Host ghijkl has no exit; ask your administrator to bind one.', 'without a name it is the oldest');
select is(t.sign_in('bosses'), 'host_not_found 0 You have no such host.', 'a host of another user is not found');
select is(t.sign_in('nobody'), 'host_not_found 0 You have no such host.', 'nor is one that does not exist');
select is(t.sign_in(null, 'bobby'), 'host_not_found 0 You have no host yet; ask your administrator for one.', 'some have none');
select is(t.sign_in('abcdef', 'alice', false), 'auth_invalid 0 User name or password is wrong.', 'a wrong password starts nothing');
delete from ccp.penalties;
update ccp.hosts set desired = 'absent' where short_id = 'ghijkl';
select is(t.sign_in('ghijkl'), 'host_not_found 0 You have no such host.', 'a host that is to go is not found');
update ccp.hosts set desired = 'stopped', created_at = '2000-01-03' where short_id = 'ghijkl';
select is((select count(*)::integer from ccp.task_rows) + (select count(*)::integer from ccp.access_grants), 0, 'none of it began anything');
select is(t.sign_in('ABCDEF'), 'ok 0 auth_passed Signed in. t', 'a name is read in lower case, and the host is started');
select results_eq(
    $$select g.purpose, g.user_id, h.short_id::text, k.kind::text, g.key_sha256::text, g.address, g.expires_at, g.used_at
    from ccp.access_grants as g join ccp.hosts as h on h.id = g.host_id join ccp.task_rows as k on k.id = g.task_id$$,
    $$values ('bootstrap', t.user('alice'), 'abcdef', 'host.start', encode(sha256('key'), 'hex'), inet '198.51.100.7',
        timestamptz '2099-01-01 00:15:00', null::timestamptz)$$,
    'a poll token and a one-time key are granted for 15 minutes'
);
select is(t.sign_in(null), 'ok 0 auth_passed Signed in. t abcdef host.start queued', 'the same start is joined');
select is((select count(distinct task_id)::integer from ccp.access_grants), 1, 'by another token');
select task.cancel((t.start()).id, 'x');
select t.ask('host.rebuild');
select is(t.sign_in(), 'start_failed 0 host.start has to wait: host.rebuild is queued', 'a start that is refused says why');
update ccp.hosts set error_message = 'the exit is away' where short_id = 'abcdef';
select is(
    t.sign_in(), 'start_failed 0 host.start has to wait: host.rebuild is queued: the exit is away', 'and what was wrong before'
);
select task.cancel(id, 'x') from ccp.task_rows where kind = 'host.rebuild';
select t.work();
delete from ccp.task_rows;
delete from ccp.access_grants;

-- How far it is.
alter sequence t.poll restart;
select t.sign_in() as signed_in \gset
create function t.poll(p_token text default t.token(1), p_address inet default '198.51.100.7', p_task_id uuid default (t.start()).id)
returns text language sql as $$
    select concat_ws(' | ', s.verdict, s.retry_after_s, s.sentence, (s.answer).task_status, (s.answer).stage_code, (s.answer).stage_text,
        (s.answer).progress, (s.answer).error_code, (s.answer).error_message, (s.answer).retryable)
    from api.bootstrap_task_get(p_token, p_address, p_task_id) as s
$$;
create function t.get_in(p_token text default t.token(1), p_address inet default '198.51.100.7') returns text language sql as $$
    select concat_ws(' | ', s.verdict, s.retry_after_s, s.sentence, (s.answer).ready, (s.answer).host, (s.answer).port, (s.answer)."user",
        (s.answer).host_keys, (s.answer).ssh_options, (s.answer).exit_address)
    from api.bootstrap_handoff(p_token, p_address, (t.start()).id) as s
$$;
select is(t.poll(), 'ok | queued | auth_passed | Signed in; the start waits for its turn.', 'it waits');
select is((select (answer).task_id from api.bootstrap_task_get(t.token(1), '198.51.100.7', (t.start()).id)), (t.start()).id, 'the answer names the task');
select is(t.get_in(), 'ssh_not_ready | 1 | Host abcdef is starting.', 'there is no way in yet');
create temporary table seen as select (answer).version from api.bootstrap_task_get(t.token(1), '198.51.100.7', (t.start()).id);
select is(
    (select string_agg(known_version, ',') from access.tasks_changed(array[(t.start()).id], array[(select version from seen)])), null,
    'a long poll that knows this waits'
);
select is(
    (select count(*)::integer from access.tasks_changed(array[(t.start()).id, gen_random_uuid()], array['x', 'y'])), 2,
    'one that knows something else does not, nor one whose task is gone'
);
select t.claim();
select task.progress(id, lease, 'verifying', 40, null) from t.start();
select is(t.poll(), 'ok | running | verifying | verifying | 40', 'it runs');
select is(
    (select string_agg(known_version, ',') from access.tasks_changed(array[(t.start()).id], array[(select version from seen)])),
    (select version from seen), 'which wakes the long poll'
);
select task.progress(id, lease, 'verifying', 40, 'asking three witnesses') from t.start();
select is(t.poll(), 'ok | running | verifying | asking three witnesses | 40', 'in words');
select t.succeed();
select is(t.poll(), 'ok | succeeded | ssh_ready | The host runs and its exit is proven. | 100', 'and has succeeded');
select is(
    t.get_in(), 'ssh_not_ready | 1 | The ssh proxy has not said its host key yet, or the setting ssh_host is empty.', 'the way in needs a name'
);
select setting.put('ssh_host', '"ssh.example"') is null as done \gset
select is(
    t.get_in(), 'ssh_not_ready | 1 | The ssh proxy has not said its host key yet, or the setting ssh_host is empty.', 'and a host key'
);
select setting.put('ssh_host_key', '"ssh-ed25519 AAAA"') is null as done \gset
select is(
    t.get_in(), 'ok | t | ssh.example | 2222 | abcdef | {"ssh-ed25519 AAAA"} | {ServerAliveInterval=30,ServerAliveCountMax=3} | 198.51.100.1', 'then it is open'
);
update ccp.settings set value = null where name = 'ssh_host';
select is(
    t.get_in(), 'ssh_not_ready | 1 | The ssh proxy has not said its host key yet, or the setting ssh_host is empty.', 'both, always'
);
select setting.put('ssh_host', '"ssh.example"') is null as done \gset
create function t.sibling(p_change jsonb) returns void language sql as $$
    insert into ccp.task_rows
    select (jsonb_populate_record(
        k, jsonb_build_object('id', gen_random_uuid(), 'created_at', k.created_at + interval '1 second') || p_change
    )).*
    from t.start() as k
$$;
set local session_replication_role = replica; -- no rule of a task lets it begin as succeeded
create temporary table own_start as select id from t.start();
select t.sibling('{"kind": "host.verify"}');
select t.sibling('{"status": "failed", "error_code": "leak", "error_message": "it leaked"}');
select t.sibling(jsonb_build_object('host_id', id, 'status', 'succeeded', 'error_code', null, 'error_message', null)) from ccp.hosts where short_id = 'ghijkl';
select is(t.sign_in(), 'ok 0 auth_passed Signed in. t abcdef host.start succeeded', 'a host that runs shows a start of its own that succeeded');
select is(
    (select string_agg(distinct g.task_id::text, ',') from ccp.access_grants as g), (select id::text from own_start), 'which is the last one'
);
delete from ccp.task_rows where id not in (select id from own_start);
set local session_replication_role = origin;
select t.ask('host.stop');
select is(t.get_in(), 'ssh_not_ready | 1 | Host abcdef is stopping.', 'a host that is stopped has no way in');
select t.work();

-- A host that runs though it is not to, or without a start that succeeded, is asked for one.
update ccp.hosts set status = 'running' where short_id = 'abcdef' and status = 'running';
select t.run();
update ccp.hosts set desired = 'stopped' where short_id = 'abcdef';
select isnt(t.sign_in(), null, 'a host that is to stop is started');
select is((select desired from ccp.hosts where short_id = 'abcdef'), 'running', 'so that it stays');

-- A start that failed.
select t.ask('host.stop');
select t.work();
update ccp.task_rows set created_at = created_at - interval '1 hour';
delete from ccp.access_grants;
alter sequence t.poll restart with 1;
select t.sign_in() as signed_in \gset
select t.claim();
select task.fail(id, lease, 'leak', 'it leaked', true) from t.start();
select is(t.poll(), 'ok | failed | auth_passed | Signed in; the start waits for its turn. | leak | it leaked | t', 'a start that failed says why');
select is(t.get_in(), 'start_failed | 1 | The host was not started: leak.', 'and has no way in');
update ccp.task_rows set status = 'canceled', error_code = null where id = (t.start()).id and false;

-- The token.
create function t.expire_grant(p_expires_at timestamptz) returns void language sql as $$
    update ccp.access_grants set created_at = '2000-01-01', expires_at = p_expires_at
$$;
select is(t.poll(t.token(99)), 'auth_invalid | 0 | This poll token is invalid or has expired; run the script again.', 'another token shows nothing');
select is((select string_agg(distinct reason, ',') from ccp.penalties), 'auth_failed', 'and costs a penalty');
select is(t.get_in(t.token(99)), 'auth_invalid | 0 | This poll token is invalid or has expired; run the script again.', 'nor a way in');
select is(
    t.poll(p_task_id => gen_random_uuid()), 'auth_invalid | 0 | This poll token is invalid or has expired; run the script again.',
    'a token is for its task'
);
select is(
    t.poll(t.token(99)), 'too_many_attempts | 15 | Too many attempts; try again in 15 seconds.', 'three mistakes make one wait'
);
select is(left(t.poll(), 2), 'ok', 'but not those who have a token');
select is(t.get_in(t.token(99)), 'too_many_attempts | 15 | Too many attempts; try again in 15 seconds.', 'for the way in, too');
delete from ccp.penalties;
select t.expire_grant('2099-01-01 00:00:01');
select is(left(t.poll(), 2), 'ok', 'a token lives up to its end');
select t.expire_grant('2099-01-01');
select is(left(t.poll(), 12), 'auth_invalid', 'and not longer');
delete from ccp.penalties;
select t.expire_grant('2099-01-02');
update ccp.users set disabled_at = clock.now() where username = 'alice';
select is(t.poll(), 'account_disabled | This account is disabled; ask your administrator.', 'a disabled user is told');
select is(t.get_in(), 'account_disabled | This account is disabled; ask your administrator.', 'and does not get in');
update ccp.users set disabled_at = null, expires_at = clock.now() where username = 'alice';
select is(t.poll(), 'account_expired | This account is expired; ask your administrator.', 'so is an expired one');
update ccp.users set expires_at = null where username = 'alice';

-- The script.
select is((api.bootstrap_script()).public_url, null, 'the script needs the address of the API');
select setting.put('public_url', '"https://ccp.example"') is null as done \gset
select is((api.bootstrap_script()).public_url, 'https://ccp.example', 'which is a setting');

select * from finish();
rollback;
