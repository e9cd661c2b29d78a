-- The rules of a tick: their order, their rests, their batches, and that the failure of one is its own.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(30);

set local client_min_messages = error;
select t.at('2099-01-01');
create function t.rule(p_rule text) returns ccp.tick_rules language sql as $$ select * from ccp.tick_rules where rule = p_rule $$;

select is(
    array(select clock.rules()),
    array(select rule from ccp.tick_rules order by place), 'the rules come in their order'
);
select is((array(select clock.rules()))[1:4], '{access.limit_sessions,process.declare_silent_dead,clock.enforce_deadlines,task.release_orphans}', 'what must not wait comes first');
select is(clock.tick('worker', 'event.make_months'), 'done', 'one rule by itself');
select is((t.rule('event.make_months')).last_at, clock.now(), 'has been done now');
select is((t.rule('event.retain_daily')).last_at, null, 'and no other');
select is((select ticked_at from ccp.ticks where who = 'worker'), clock.now(), 'time has passed');
select is(clock.tick('worker', 'no.such_rule'), 'busy', 'what is no rule is not done');

-- A rule that rests.
update ccp.tick_rules set every = '10 seconds', last_at = clock.now() - interval '9 seconds' where rule = 'event.make_months';
select is(clock.tick('worker', 'event.make_months'), 'done', 'a rule that rests has nothing to do');
select is((t.rule('event.make_months')).last_at, clock.now() - interval '9 seconds', 'and is left alone');
update ccp.tick_rules set last_at = clock.now() - interval '10 seconds' where rule = 'event.make_months';
select clock.tick('worker', 'event.make_months');
select is((t.rule('event.make_months')).last_at, clock.now(), 'until its time has come');

-- A batch.
update ccp.hosts set desired = 'running';
update ccp.tick_rules set batch = 1 where rule = 'clock.reconcile_all';
select is(clock.tick('worker', 'clock.reconcile_all'), 'more', 'a batch that is full');
select is(t.live(), (select short_id || ' host.start queued' from ccp.hosts order by id limit 1), 'has dealt with the first host');
select is((t.rule('clock.reconcile_all')).after_id, (select id from ccp.hosts order by id limit 1), 'and keeps its place');
update ccp.tick_rules set every = '1 hour' where rule = 'clock.reconcile_all';
select is(clock.tick('worker', 'clock.reconcile_all'), 'more', 'it does not rest before its end');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.start'), 2, 'the next one is dealt with');
select is(clock.tick('worker', 'clock.reconcile_all'), 'done', 'at the end it is done');
select is((t.rule('clock.reconcile_all')).after_id, null, 'and begins anew');
update ccp.tick_rules set every = '0', batch = 100 where rule = 'clock.reconcile_all';

-- A host that cannot be helped.
delete from ccp.tick_rules where rule = 'event.retain_daily';
select task.cancel(id, 'x') from ccp.task_rows where status = 'queued';
update ccp.hosts set desired = 'running', retry_at = null;
create function t.refuse() returns trigger language plpgsql as $$
begin
    raise 'no task for this one';
end
$$;
create function t.first() returns uuid language sql as $$ select id from ccp.hosts order by id limit 1 $$;
create trigger a_test_refuses before insert on ccp.task_rows for each row when (new.user_id is not null) execute function t.refuse();
update ccp.tick_rules set batch = 1 where rule = 'clock.reconcile_all';
select is(clock.tick('worker', 'clock.reconcile_all'), 'more', 'what fails for the first host');
select is((t.rule('clock.reconcile_all')).error, null, 'is a failure of that host only');
drop trigger a_test_refuses on ccp.task_rows;
select is(clock.tick('worker', 'clock.reconcile_all'), 'more', 'the next batch');
select is((select host_id from ccp.task_rows where status = 'queued'), (select id from ccp.hosts order by id desc limit 1), 'has the next host, not the first again');
select clock.tick('worker', 'clock.reconcile_all');
select clock.tick('worker', 'clock.reconcile_all');
select is((select count(*)::integer from ccp.task_rows where status = 'queued' and kind = 'host.start'), 2, 'whose turn comes again');

-- A rule that fails.
create function t.breaks() returns void language plpgsql as $$
begin
    update ccp.users set username = 'mallory';
    raise 'it is broken';
end
$$;
insert into ccp.tick_rules (rule, place, every) values ('t.breaks', 0, '0');

select is(clock.tick('worker'), 'done', 'a rule that fails stops no other');
select is((t.rule('t.breaks')).error, 'it is broken', 'it says how');
select is((t.rule('t.breaks')).failed_at, clock.now(), 'since when');
select is((select count(*)::integer from ccp.users where username = 'mallory'), 0, 'and has done nothing');
select t.at('2099-01-01 00:00:05');
select clock.tick('worker');
select is((t.rule('t.breaks')).failed_at, clock.now() - interval '5 seconds', 'since the first time');
select is((t.rule('event.make_months')).last_at, clock.now() - interval '5 seconds', 'the others go on, and rest as they may');
create or replace function t.breaks() returns void language plpgsql as $$ begin end $$;
select clock.tick('worker');
select is((t.rule('t.breaks')).failed_at, null, 'one that works again');
select is((t.rule('t.breaks')).error, null, 'has not failed');

select * from finish();
rollback;
