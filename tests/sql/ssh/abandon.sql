-- Leaving without having been let in.
begin;
\ir ../hosts.psql
select plan(7);

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

select * from finish();
rollback;
