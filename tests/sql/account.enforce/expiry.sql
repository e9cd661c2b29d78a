-- Expiry and disabling end what runs; extending brings it back.
begin;
\ir ../hosts.psql
select plan(12);

select t.run();
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select user_id, id, t.agent(), 'key', '127.0.0.1' from ccp.hosts;
update ccp.users set expires_at = '2099-01-01';
set local test.now = '2098-12-31 23:59:59';
select is((account.enforce(null, 1) is not null)::integer, 0, 'before the time nothing happens');
set local test.now = '2099-01-01 00:00:00';
select is((account.enforce(null, 1) is not null)::integer, 1, 'at the time the user is dealt with');
select is((select end_reason from ccp.sessions), 'expired', 'the session is asked to end');
select is((select kind from ccp.task_rows where status = 'queued'), 'host.stop', 'the host is stopped');
select is((select desired from ccp.hosts), 'running', 'what the user desires stays');
select is((account.enforce(null, 1) is not null)::integer, 0, 'there is nothing more to do');
select is((select count(*)::integer from ccp.events where type = 'user.expired'), 1, 'user.expired is written once');
select is((select count(*)::integer from ccp.events where type = 'host.stop.expired'), 1, 'and host.stop.expired');
select t.work();
select is(host.reconcile(t.host()), null, 'an expired user''s host stays stopped');
update ccp.users set expires_at = '2100-01-01';
select is((select expiry_announced_at from ccp.users), null, 'a new expiry will be announced anew');
select isnt(host.reconcile(t.host()), null, 'extending brings the host back');
update ccp.users set disabled_at = clock.now();
select is((select count(*)::integer from task.claim(t.agent(), 1)), 0, 'a start is not claimed for a disabled user');

select * from finish();
rollback;
