-- A user is deleted: out at once, hosts first, the user last; and kept, when that is canceled in time.
begin;
\ir ../hosts.psql
\ir ../people.psql
\ir ../second_host.psql
select plan(58);

select t.at('2099-01-01');
update ccp.users set password_hash = '$2b$10$' || repeat('a', 53);
create function t.delete(p_name text, p_wipe boolean default null) returns text language plpgsql as $$
declare
    v_ref api.task_ref := api.user_delete(t.login('boss'), 1, t.user(p_name), p_wipe);
begin
    return (
        select concat_ws(' ', k.kind, v_ref.status, v_ref.status_url = '/v1/admin/tasks/' || k.id, k.params - 'user_id')
        from ccp.task_rows as k
        where k.id = v_ref.task_id
    );
end
$$;
create function t.said(p_name text) returns text language sql as $$
    select concat_ws(' ', u.status, u.version) from api.user_get(t.login('boss'), 1, t.user(p_name)) as u
$$;
-- What the worker does with user.delete when its turn has come.
create function t.step() returns text language plpgsql as $$
declare
    v_task record;
begin
    select * into v_task from task.claim(t.worker(), 1);
    if not found then
        return 'nothing';
    elsif account.delete_step((v_task.params ->> 'user_id')::uuid, coalesce((v_task.params ->> 'wipe')::boolean, false)) = 0 then
        return task.succeed(v_task.task_id, v_task.lease, '{}');
    end if;
    return task.fail(v_task.task_id, v_task.lease, 'hosts_remain', 'x', true);
end
$$;
create function t.task(p_name text default 'alice') returns ccp.task_rows language sql as $$
    select * from ccp.task_rows
    where kind = 'user.delete' and params ->> 'user_id' = t.user(p_name)::text
    order by finished_at is null desc
    limit 1
$$;
select process.register('ccp-sshproxy', 'node1', 3, 'test');
insert into ccp.sessions (user_id, host_id, process_id, method, address, opened_at)
select t.user('alice'), t.host(), id, 'key', '198.51.100.7', clock.now() from ccp.processes where program = 'ccp-sshproxy';
insert into ccp.ssh_keys (user_id, name, public_key, key_sha256) values (t.user('alice'), 'key', 'ssh-ed25519 AAAA', repeat('a', 64));

-- Who may not be.
select throws_ok($$select t.delete('boss')$$, 'CP409', 'You cannot delete yourself.', 'not oneself');
select throws_ok($$select api.user_delete(t.login('bobby'), 1, t.user('alice'))$$, 'CP403', null, 'not by users');
select throws_ok($$select api.user_delete(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such user.', 'not one who is not there');
set local ccp.user_id = '';
select throws_ok($$select account.delete(t.user('boss'))$$, 'CP409', 'User boss is the last active administrator.', 'not the last administrator, by nobody');
insert into ccp.users (username, short_id, role, disabled_at) values ('chief', 'chief1', 'admin', clock.now());
select throws_ok($$select account.delete(t.user('boss'))$$, 'CP409', 'User boss is the last active administrator.', 'one who is disabled is none');
select is((select count(*)::integer from ccp.task_rows), 0, 'none of it began anything');

-- From the first moment on.
select is(t.delete('alice'), 'user.delete queued t {}', 'a deletion is a task');
select is(t.said('alice'), 'deleting 3', 'the user is being deleted');
select throws_ok($$select api.own_user_get(t.login('alice'), 1)$$, 'CP401', null, 'the login has ended');
select is(
    (select verdict from account.login('alice', '198.51.100.7', true, '$2b$10$' || repeat('a', 53))), 'account_disabled', 'a new one is refused'
);
select is((select end_reason || ' ' || session.sentence(end_reason) from ccp.sessions), 'deleted This account is being deleted: the session ends.', 'terminals hear it');
select is(t.live(), 'abcdef host.delete queued, ghijkl host.delete queued', 'the hosts are asked to go');
select is(
    (select concat_ws(' ', level, message, user_id = t.user('alice'), metadata) from ccp.events where type = 'admin.user.deleted'),
    'info the deletion of user alice was asked for t {"wipe": false, "short_id": "alice1", "username": "alice"}', 'the audit log has it'
);
select is(t.delete('alice'), 'user.delete queued t {}', 'asked again, it is the same task');
select is((select count(*)::integer from ccp.task_rows where kind = 'user.delete'), 1, 'and no other');
select is((select count(*)::integer from ccp.events where type = 'admin.user.deleted'), 1, 'written down once');
select throws_ok(
    $$select t.delete('alice', true)$$, 'CP409', 'User alice is being deleted with the other value of wipe; cancel that first.', 'what becomes of the homes is said once'
);
select throws_ok(
    $$select api.user_update(t.login('boss'), 1, t.user('alice'), 'active')$$, 'CP409', 'User alice is being deleted; cancel that first.', 'nobody enables the user meanwhile'
);
select throws_ok($$select account.add_ssh_key(t.user('alice'), 'ssh-ed25519 AAAB')$$, 'CP409', null, 'or gives a key');
select throws_ok($$select account.rotate_password(t.user('alice'), '$2b$10$' || repeat('b', 53))$$, 'CP409', null, 'or a password');
select throws_ok(
    format($$select api.host_create(t.login('boss'), 1, %L, (select id from ccp.egress_ips limit 1), '$y$j9T$' || repeat('b', 60))$$, t.user('alice')),
    'CP422', 'user_id names no user.', 'or a host'
);
select is((api.user_list(t.login('boss'), 1, '{deleting}')).users[1].username, 'alice', 'the list has a word for it');
select is(cardinality((api.user_list(t.login('boss'), 1, '{disabled}')).users), 1, 'which is another than disabled');

-- Hosts first.
select is(t.step(), 'retry', 'while hosts are left it is tried again');
select is((t.task()).run_at, timestamptz '2099-01-01 00:00:01', 'later');
select is(t.step(), 'nothing', 'not before');
select t.claim();
select task.succeed(id, lease, '{}') from ccp.task_rows where status = 'running' and kind = 'host.delete';
select is((t.task()).run_at, timestamptz '2099-01-01', 'but as soon as one of them is gone');
select is(t.step(), 'retry', 'which was not the last');
select is(t.said('alice'), 'deleting 3', 'the user stays so long');
select t.claim();
select task.succeed(id, lease, '{}') from ccp.task_rows where status = 'running' and kind = 'host.delete';
select is(t.step(), 'ok', 'the user goes with the last one');
select is((t.task()).status, 'succeeded', 'and the task has ended');
select throws_ok($$select t.said('alice')$$, 'CP404', 'There is no such user.', 'nobody finds the user any more');
select throws_ok($$select account.delete(t.user('alice'))$$, 'CP404', 'There is no such user.', 'to delete again');
select throws_ok($$select account.end_sessions(t.user('alice'))$$, 'CP404', 'There is no such user.', 'or to end anything of');
select throws_ok($$select account.id('alice')$$, 'CP404', 'There is no such user.', 'by name either');
select is(
    (select concat_ws(' ', deleted_at at time zone 'UTC', coalesce(password_hash, 'none'), short_id) from ccp.users where username = 'alice'),
    '2099-01-01 00:00:00 none alice1', 'a tombstone remains'
);
select is((select count(*)::integer from ccp.ssh_keys) + (select count(*)::integer from ccp.logins where user_id = t.user('alice')), 0, 'without a way in');
select is(t.last_event(), 'info | user.deleted | user alice was deleted | alice', 'the audit log has it');
select is(account.delete_step(t.user('alice'), false), 0, 'again is safe');
select is((select count(*)::integer from ccp.events where type = 'user.deleted'), 1, 'and written down once');
select throws_ok(
    $$select api.user_create(t.login('boss'), 1, 'alice', '$2b$10$' || repeat('a', 53))$$, 'CP409',
    'The name alice was that of a deleted user; it is free again when the audit log no longer has it.', 'nobody else gets the name'
);
select is((api.session_list(t.login('boss'), 1, 'any')).sessions[1].username, 'alice', 'the history still says who');

-- Canceled in time.
insert into ccp.hosts (short_id, user_id, node_id, image, status, wg_public_key)
select h.short_id, t.user('bobby'), n.id, 'image', 'stopped', repeat('B', 43) || '='
from ccp.nodes as n, (values ('hostb1'), ('hostb2')) as h (short_id);
select is(t.delete('bobby', true), 'user.delete queued t {"wipe": "true"}', 'another, homes and all');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.delete' and params = '{"wipe": "true"}'), 2, 'of each host');
select t.claim();
select is(t.step(), 'retry', 'one of them has begun');
select is(task.cancel((t.task('bobby')).id, 'x'), 'canceled', 'it is canceled');
select is(t.said('bobby'), 'disabled 4', 'the user stays, disabled');
select is((select string_agg(concat_ws(' ', h.desired, k.status), ', ' order by k.status)
    from ccp.hosts as h join ccp.task_rows as k on k.host_id = h.id and k.kind = 'host.delete' where h.user_id = t.user('bobby')), 'stopped canceled, absent running', 'with the host that had not begun to go');
select is(
    (select message || ' ' || metadata from ccp.events where type = 'admin.user.updated'), 'the deletion of user bobby was canceled {"status": "disabled"}', 'the audit log has it'
);
select throws_ok($$select account.delete_step(t.user('bobby'), true)$$, 'CP409', 'Nobody asked for the deletion of this user.', 'a worker that comes late deletes nobody');
select is((t.task('bobby')).status, 'canceled', 'the task too');
select is((task.retry((t.task('bobby')).id)).status, 'queued', 'it may be repeated');
select is(t.said('bobby'), 'deleting 5', 'which begins again');
select lives_ok($$select account.keep(t.user('bobby'))$$, 'in psql it is canceled by the user');
select is(t.said('bobby'), 'disabled 6', 'to the same end');
select lives_ok($$select account.keep(t.user('bobby'))$$, 'a user who stays');
select is((select count(*)::integer from ccp.events where type = 'admin.user.updated'), 2, 'is kept without a word');
select throws_ok($$select account.keep(t.user('alice'))$$, 'CP409', 'This user is deleted already.', 'and one who is gone, not at all');

select * from finish();
rollback;
