-- What is enforced upon one user leaves the others alone.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(21);

select t.at('2099-01-01');
insert into ccp.users (username, short_id) values ('bobby', 'bobby1');
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, wg_public_key)
select 'bobhst', u.id, n.id, 'image', 'running', 'running', repeat('D', 43) || '=' from ccp.users as u, ccp.nodes as n where u.username = 'bobby' and n.name = 'node1';
select process.register('ccp-sshproxy', 'node1', 3, 'test');
insert into ccp.sessions (user_id, host_id, process_id, method, address, ended_at, end_reason)
select h.user_id, h.id, p.id, s.method, '127.0.0.1', case s.method when 'password' then clock.now() end, case s.method when 'password' then 'closed' end
from ccp.hosts as h, ccp.processes as p, (values ('key'), ('password')) as s (method)
where p.program = 'ccp-sshproxy' and h.short_id in ('abcdef', 'bobhst');
create function t.sessions() returns text language sql as $$
    select string_agg(concat_ws(' ', u.username, s.method, s.end_reason, s.end_requested_at at time zone 'UTC'), ', ' order by u.username, s.method)
    from ccp.sessions as s join ccp.users as u on u.id = s.user_id
$$;
create function t.expired() returns text language sql as $$
    select coalesce(string_agg(level || ' ' || message, '; ' order by id), 'none') from ccp.events where type = 'user.expired'
$$;
select is((account.enforce(null, 1) is not null)::integer, 0, 'nothing is enforced upon active users');
update ccp.users set expires_at = clock.now() + interval '1 second' where username = 'alice';
select is((account.enforce(null, 1) is not null)::integer, 0, 'nor before a user expires');
update ccp.users set expires_at = clock.now() where username = 'alice';
select is((account.enforce(null, 1) is not null)::integer, 1, 'an expired one');
select is(t.expired(), 'warning the account of alice has expired', 'is announced');
select is(t.sessions(), 'alice key expired 2099-01-01 00:00:00, alice password closed, bobby key, bobby password closed', 'and the user''s live sessions have to end');
select is(t.live(), 'nothing', 'nothing of it runs, so nothing is stopped');
select t.at('2099-01-01 00:00:01');
select is((account.enforce(null, 1) is not null)::integer, 0, 'once');
select is(t.expired(), 'warning the account of alice has expired', 'it is announced once');
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select h.user_id, h.id, p.id, 'grant', '127.0.0.1' from ccp.hosts as h, ccp.processes as p where p.program = 'ccp-sshproxy' and h.short_id = 'abcdef';
select is((account.enforce(null, 1) is not null)::integer, 1, 'a session that came in meanwhile');
select is(
    t.sessions(), 'alice grant expired 2099-01-01 00:00:01, alice key expired 2099-01-01 00:00:00, alice password closed, bobby key, bobby password closed',
    'has to end too, and the others as they were asked'
);
select is(t.expired(), 'warning the account of alice has expired', 'without another word');
update ccp.users set disabled_at = clock.now() where username = 'bobby';
update ccp.hosts set status = 'stopped' where false;
select is((account.enforce(null, 1) is not null)::integer, 1, 'a disabled user');
select is(t.live(), 'bobhst host.stop queued', 'whose host runs, has it stopped');
select is((select created_by from ccp.task_rows), 'expiry', 'in the name of the rule');
select is(t.expired(), 'warning the account of alice has expired', 'which is no expiry');
select is(
    (select concat_ws(' ', level, message) from ccp.events where type = 'host.stop.expired'), 'warning host bobhst is stopped because its user is disabled',
    'the audit log says so'
);
select is((account.enforce(null, 1) is not null)::integer, 0, 'once');

-- A task that runs and one that waits behind it, each of its own host.
update ccp.users set disabled_at = null, expires_at = null;
select t.work() from (select 1) as once where false;
select task.succeed(task_id, lease, '{}') from task.claim(t.agent(), 9);
update ccp.hosts set desired = 'stopped' where short_id = 'bobhst';
select task.enqueue('host.start', id) from ccp.hosts where short_id in ('abcdef', 'ghijkl');
select task.succeed(task_id, lease, '{}') from task.claim(t.agent(), 9);
select task.enqueue('host.verify', t.host());
select count(*) from task.claim(t.agent(), 9);
select task.enqueue('host.rebuild', t.second());
update ccp.users set disabled_at = clock.now() where username = 'alice';
select is((account.enforce(null, 1) is not null)::integer, 1, 'a disabled user with two hosts');
select is(t.live(), 'abcdef host.verify running, abcdef host.stop queued, ghijkl host.stop queued', 'has both stopped');
select is(
    (select string_agg(concat_ws(' ', h.short_id, k.kind, k.error_code, k.error_message), ', ') from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id where k.status = 'canceled'),
    'ghijkl host.rebuild account_disabled its user is disabled', 'what waited is canceled, what runs is asked to stop'
);
select is((select status from ccp.hosts where short_id = 'ghijkl'), 'stopping', 'the host goes straight on to its stop');

select * from finish();
rollback;
