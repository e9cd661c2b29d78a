-- Leaving without having been let in.
begin;
\ir ../hosts.psql
select plan(15);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.leave(p_reason text, p_short_id text default 'abcdef') returns void language sql as $$
    select ssh.abandon(id, '198.51.100.7', p_short_id, p_reason) from ccp.processes where program = 'ccp-sshproxy'
$$;
create function t.cost() returns integer language sql as $$
    select extract(epoch from expires_at - clock.now())::integer from ccp.penalties where source = '198.51.100.7/32'
$$;

select t.leave('no_auth');
select is(t.cost(), 1, 'coming and going costs a second');
select is_empty($$select 1 from ccp.events where type = 'ssh.auth.failed'$$, 'and is no failed login');
select t.leave('auth_failed');
select is(t.cost(), 6, 'wrong keys cost as much as a wrong password');
select results_eq(
    $$select metadata ->> 'method', metadata ->> 'user', host_id from ccp.events where type = 'ssh.auth.failed'$$,
    $$select 'key', 'abcdef', id from ccp.hosts$$,
    'and are in the audit log'
);
select t.leave('auth_failed'), t.leave('auth_failed');
select is(t.cost(), 16, 'again and again');
select t.leave('auth_failed');
select is(t.cost(), 16, 'but who has to wait already waits no longer for it');
select t.leave('auth_failed', 'my-password');
select is_empty(
    $$select * from ccp.events where (message || metadata) ~ 'my-password'$$, 'a name that does not exist is not written down'
);

-- Which host it was for, and what the audit log says.
create function t.last_event() returns text language sql as $$
    select concat_ws(' | ', e.level, e.message, u.username, h.short_id, e.metadata)
    from ccp.events as e
    left join ccp.users as u on u.id = e.user_id
    left join ccp.hosts as h on h.id = e.host_id
    where e.type = 'ssh.auth.failed'
    order by e.id desc limit 1
$$;
delete from ccp.penalties;
select t.leave('auth_failed');
select is(
    t.last_event(), 'warning | a client at 198.51.100.7 failed to log in by key | alice | abcdef | '
    || '{"user": "abcdef", "method": "key", "address": "198.51.100.7"}', 'a failed login by key, of whose host'
);
delete from ccp.penalties;
select t.leave('auth_failed', 'ghijkl');
select is(
    t.last_event(), 'warning | a client at 198.51.100.7 failed to log in by key | {"method": "key", "address": "198.51.100.7"}',
    'or of none'
);
select t.ask('host.delete');
select t.work();
delete from ccp.penalties;
select t.leave('auth_failed');
select is(
    t.last_event(), 'warning | a client at 198.51.100.7 failed to log in by key | {"method": "key", "address": "198.51.100.7"}',
    'a deleted host is none'
);
select t.leave('grace');
select is(t.cost(), 15, 'too long a login costs more');
select throws_ok($$select t.leave('boredom')$$, 'P0002', null, 'a reason that no rule counts is an error');

-- The host key is one line: type and base64.
select throws_ok(
    format('select ssh.set_host_key(%s, %L)', id, k.key), 'CP422', 'a host key is one line: type and base64', 'a host key is not ' || k.what
)
from ccp.processes, (values ('ssh-ed25519', 'a word'), ('ssh-ed25519 AAAA x', 'three'), ('ssh-ed25519 ' || repeat('A', 8181), 'longer than 8 KB')) as k (key, what)
where program = 'ccp-sshproxy';

select * from finish();
rollback;
