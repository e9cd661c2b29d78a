-- Expiry and disabling meet a host in every state, and extending brings back what its user desires.
begin;
\ir ../hosts.psql
select plan(36);

create function t.tick(p_now timestamptz) returns void language plpgsql as $$
begin
    perform t.at(p_now);
    perform clock.tick('worker');
end
$$;
create function t.live() returns text language sql as $$
    select coalesce(string_agg(kind || ' ' || status, ', ' order by status desc), 'nothing') from ccp.task_rows
    where host_id = t.host() and status in ('queued', 'running')
$$;
create function t.expire() returns void language sql as $$ update ccp.users set expires_at = clock.now() $$;
create function t.extend() returns void language sql as $$ update ccp.users set expires_at = null, disabled_at = null $$;

-- A start that waits.
select t.at('2099-01-01 00:00:00');
select t.ask('host.start');
select t.expire();
select t.tick('2099-01-01 00:00:01');
select is(t.live(), 'host.stop queued', 'a start that waits gives way to a stop');
select t.work();
select is(t.status(), 'stopped', 'the host is stopped');
select t.tick('2099-01-01 00:00:02');
select is(t.live(), 'nothing', 'and left alone');
select t.extend();
select t.tick('2099-01-01 00:00:03');
select is(t.live(), 'host.start queued', 'extending brings the start back within a tick');

-- A start that runs.
select t.claim();
select t.expire();
select t.tick('2099-01-01 00:00:04');
select is(t.live(), 'host.start running, host.stop queued', 'a start that runs is asked to stop, and a stop waits');
select is((select stop_reason from ccp.task_rows where status = 'running'), 'superseded', 'because of it');
select is(task.succeed(id, lease, '{}'), 'ok', 'the start succeeds all the same')
from ccp.task_rows where status = 'running';
select is(t.status(), 'stopping', 'then the stop is next');
select t.work();
select t.extend();
select t.tick('2099-01-01 00:00:05');
select t.work();
select is(t.status(), 'running', 'after an extension it runs again');

-- A verification that runs.
select t.ask('host.verify');
select t.claim();
select t.expire();
select t.tick('2099-01-01 00:00:06');
select is(t.live(), 'host.verify running, host.stop queued', 'a verification is asked to stop');
select is(task.canceled(id, lease, 'stopped'), 'ok', 'it does') from ccp.task_rows where status = 'running';
select t.work();
select is(t.status(), 'stopped', 'and the host after it');

-- A rebuild that waits behind a verification that runs.
select t.extend();
select t.tick('2099-01-01 00:00:06.2');
select t.work();
select t.ask('host.verify');
select t.claim();
select t.ask('host.rebuild');
select is(t.live(), 'host.verify running, host.rebuild queued', 'a rebuild waits behind a verification');
select t.expire();
select t.tick('2099-01-01 00:00:06.4');
select is(t.live(), 'host.verify running, host.stop queued', 'which goes on when the rebuild is canceled for a stop');
select is(task.canceled(id, lease, 'stopped'), 'ok', 'and ends by its own report') from ccp.task_rows where status = 'running';
select is(t.status(), 'stopping', 'after which the stop is next');
select t.work();

-- A rebuild that waits: nobody would claim it any more, and the host would run on.
select t.extend();
select t.tick('2099-01-01 00:00:07');
select t.work();
select t.ask('host.rebuild');
select t.expire();
select is((select count(*)::integer from task.claim(t.agent(), 1)), 0, 'a rebuild is not claimed for an expired user');
select t.tick('2099-01-01 00:00:08');
select is(t.live(), 'host.stop queued', 'a rebuild that waits is canceled for a stop');
select is(
    (select error_code || ': ' || error_message from ccp.task_rows where kind = 'host.rebuild' order by created_at desc limit 1),
    'account_expired: its user is expired', 'and says why'
);
select t.work();
select is(t.status(), 'stopped', 'the host is stopped');

-- A rebuild that runs.
select t.extend();
select t.tick('2099-01-01 00:00:09');
select t.work();
select t.ask('host.rebuild');
select t.claim();
update ccp.users set disabled_at = clock.now();
select t.tick('2099-01-01 00:00:10');
select is(t.live(), 'host.rebuild running', 'a rebuild that runs goes on to its end');
select is(t.succeed(), 'ok', 'it ends');
select is(t.status(), 'stopped', 'in a stopped host, for a disabled user wants nothing running');
select is((select desired from ccp.hosts), 'running', 'what was desired is not forgotten');
select t.tick('2099-01-01 00:00:11');
select is(t.live(), 'nothing', 'it stays so');
select t.extend();
select t.tick('2099-01-01 00:00:12');
select t.work();
select is(t.status(), 'running', 'until the user is enabled again');

-- A host that could not be proven, and one whose delete waits.
select t.at('2099-01-01 00:00:19');
select host.observe(t.agent(), t.host(), 1, 'closed', 'leak', 'x', clock.now()) = 'ok' as seen \gset
select t.expire();
select is(t.status(), 'unavailable', 'a host whose wall did not hold is closed');
select t.tick('2099-01-01 00:00:24');
select is(t.live(), 'host.stop queued', 'an unavailable host is stopped, not started again');
select t.ask('host.delete');
select t.tick('2099-01-01 00:00:25');
select is(t.live(), 'host.delete queued', 'a deletion stays a deletion');
select t.work();
select t.tick('2099-01-01 00:00:26');
select is(t.live(), 'nothing', 'after which there is nothing to stop');

-- What is said of it.
select is(
    (select count(*)::integer from ccp.events where type = 'user.expired'), 6, 'each expiry is announced once'
);
select is((select count(*)::integer from ccp.events where type = 'host.stop.expired'), 5, 'and each stop because of it');
update ccp.users set expires_at = clock.now() - interval '1 second';
select t.tick('2099-01-01 00:00:27');
select t.tick('2099-01-01 00:00:28');
select is((select count(*)::integer from ccp.events where type = 'user.expired'), 7, 'another date is announced anew, once');
update ccp.users set username = 'alicia';
select t.tick('2099-01-01 00:00:29');
select is((select count(*)::integer from ccp.events where type = 'user.expired'), 7, 'another name is not');
select throws_ok($$select t.ask('host.start')$$, 'CP404', null, 'a deleted host does not come back');
select is_empty($$select * from ccp.stuck$$, 'nothing is stuck');

select * from finish();
rollback;
