-- A batch ends when its time is over, not when all is done: with no time at all each deals with one, says that there is more,
-- and goes on after it.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(40);

create or replace function clock.batch_end() returns timestamptz language sql volatile return clock_timestamp() - interval '1 second';
create function t.after(p_rule text) returns uuid language sql as $$ select after_id from ccp.tick_rules where rule = p_rule $$;
create function t.nth(p_n integer) returns uuid language sql as $$ select id from ccp.hosts order by id limit 1 offset p_n - 1 $$;
create function t.asked(p_kind text) returns uuid[] language sql as $$
    select array_agg(host_id order by host_id) from ccp.task_rows where kind = p_kind and status = 'queued'
$$;

-- Reconciliation.
update ccp.hosts set desired = 'running';
select is(clock.tick('worker', 'clock.reconcile_all'), 'more', 'a batch without time is not full, but there is more');
select is(t.asked('host.start'), array[t.nth(1)], 'it has dealt with one host');
select is(t.after('clock.reconcile_all'), t.nth(1), 'after which the next one begins');
select is(clock.tick('worker', 'account.enforce'), 'done', 'another rule has its turn between them');
select is(clock.tick('worker', 'clock.reconcile_all'), 'more', 'the next');
select is(t.asked('host.start'), array[t.nth(1), t.nth(2)], 'deals with the next host');
select is(clock.tick('worker', 'clock.reconcile_all'), 'done', 'until there is none');
select is(t.after('clock.reconcile_all'), null, 'and it begins anew');

-- Expiry: two users, each with a running host.
select task.cancel(id, 'x') from ccp.task_rows where status = 'queued';
insert into ccp.users (username, short_id) values ('bob', 'bob123');
set local session_replication_role = replica;
update ccp.hosts set status = 'running';
update ccp.hosts set user_id = (select id from ccp.users where username = 'bob') where id = t.second();
set local session_replication_role = origin;
update ccp.users set expires_at = clock.now() - interval '1 second';
create function t.user(p_n integer) returns uuid language sql as $$ select id from ccp.users order by id limit 1 offset p_n - 1 $$;
select is(clock.tick('worker', 'account.enforce'), 'more', 'an expiry without time');
select is((select array_agg(id) from ccp.users where expiry_announced_at is not null), array[t.user(1)], 'is one user''s');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.stop' and status = 'queued'), 1, 'whose host is stopped');
select is(clock.tick('worker', 'account.enforce'), 'more', 'then the other''s');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.stop' and status = 'queued'), 2, 'whose is too');
select is(clock.tick('worker', 'account.enforce'), 'done', 'then nobody''s');

-- Tasks of dead processes: each tick releases one and leaves the others to the next.
create function t.lost() returns integer language sql as $$
    select count(*)::integer from ccp.task_rows where kind = 'system.noop' and status = 'running'
$$;
select task.cancel(id, 'x') from ccp.task_rows where status = 'queued';
update ccp.users set expires_at = null;
select task.enqueue('system.noop', null, jsonb_build_object('label', n::text)) from generate_series(1, 3) as n;
select count(*) from task.claim(t.worker(), 3) \g /dev/null
update ccp.processes set ended_at = clock.now(), end_reason = 'silent' where program = 'ccp-worker';
select is(clock.tick('worker', 'task.release_orphans'), 'more', 'tasks of a dead process, without time');
select is(t.lost(), 2, 'of three one is released');
select is(clock.tick('worker', 'task.release_orphans'), 'more', 'the next time');
select is(t.lost(), 1, 'the next');
select is(clock.tick('worker', 'task.release_orphans'), 'more', 'and the next');
select is(t.lost(), 0, 'the last');
select is(clock.tick('worker', 'task.release_orphans'), 'done', 'until there is none');

-- Declaring a process dead releases what there is time for; the rule does the rest, and passes one that does not go.
select process.register('ccp-worker', 'node1', 3, 'test') \g /dev/null
select count(*) from task.claim(t.worker(), 3) \g /dev/null
select is(process.declare_dead(t.worker(), 'silent'), true, 'a process is dead at once');
select is(t.lost(), 2, 'though it leaves tasks that run');
create function t.next_lost() returns uuid language sql as $$
    select id from ccp.task_rows where kind = 'system.noop' and status = 'running' order by id limit 1
$$;
create function t.refuse() returns trigger language plpgsql as $$ begin raise 'it stays'; end $$;
create temporary table stays as select t.next_lost() as id;
select format('create trigger a_test_refuses before update on ccp.task_rows for each row when (new.id = %L) execute function t.refuse()', id)
from stays \gexec
set local client_min_messages = error;
select is(clock.tick('worker', 'task.release_orphans'), 'more', 'one that cannot be released');
select is(t.lost(), 2, 'is left as it is');
select is(clock.tick('worker', 'task.release_orphans'), 'more', 'the next is dealt with');
select is(t.next_lost(), (select id from stays), 'and the first waits');
drop trigger a_test_refuses on ccp.task_rows;
select is(clock.tick('worker', 'task.release_orphans'), 'done', 'for its turn');
select is(clock.tick('worker', 'task.release_orphans'), 'more', 'which comes');
select is(t.lost(), 0, 'again');

-- With time a batch is bounded by its number, and it is the product's half second that cuts.
create or replace function clock.batch_end() returns timestamptz language sql volatile return timestamptz 'infinity';
delete from ccp.observations;
set local session_replication_role = replica;
delete from ccp.task_rows;
update ccp.hosts set status = 'running', desired = 'stopped', retry_at = null;
set local session_replication_role = origin;
select is(clock.tick('worker', 'clock.reconcile_all'), 'done', 'with time enough a batch ends with its work');
select is(cardinality(t.asked('host.stop')), 2, 'which is all there is');

-- Rules that deal with a batch in one statement.
set local session_replication_role = replica;
update ccp.hosts set failures = 1, status_changed_at = clock.now() - interval '1 hour', status = 'running', desired = 'running';
set local session_replication_role = origin;
select is(clock.forget_failures(null, 1), t.nth(1), 'a batch of one ends with the first');
select is(clock.forget_failures(t.nth(1), 1), t.nth(2), 'the next begins after it');
select is(clock.forget_failures(t.nth(2), 1), null, 'and finds none');
select is((select sum(failures) from ccp.hosts), 0::bigint, 'all are forgotten');
update ccp.hosts set failures = 1;
select is(clock.forget_failures(null, 3), null, 'a batch that is not full was the last');

-- The number bounds a batch of tasks too.
select process.register('ccp-worker', 'node1', 4, 'test') \g /dev/null
select task.enqueue('system.noop', null, jsonb_build_object('label', n::text)) from generate_series(11, 13) as n;
select count(*) from task.claim(t.worker(), 3) \g /dev/null
update ccp.processes set ended_at = clock.now(), end_reason = 'silent' where pid = 4;
create temporary table second as
select id from ccp.task_rows where kind = 'system.noop' and status = 'running' order by id limit 1 offset 1;
select is(task.release_orphans(null, 2), (select id from second), 'with time enough');
select is(t.lost(), 1, 'its number of tasks is released');
select is(task.release_orphans(null, 2), null, 'then the rest');

select * from finish();
rollback;
