-- A beat tells a process what to drop and what to stop, and finds claims whose answer was lost on the way.
begin;
\ir ../hosts.psql
select plan(15);

create function t.beat(p_leases bigint[]) returns text language sql as $$
    select format('%s drop %s stop %s', case when b.alive then 'alive' else 'dead' end, b.drop_leases, b.stop_leases)
    from process.beat(t.worker(), p_leases) as b
$$;
create function t.noop(p_label text) returns uuid language sql as $$
    select (task.enqueue('system.noop', null, jsonb_build_object('label', p_label))).id
$$;

select is(t.beat('{}'), 'alive drop {} stop {}', 'an idle process beats');
select is(t.beat(null), 'alive drop {} stop {}', 'also without a list');
select t.at('2099-01-01');
select t.noop('one') as one, t.noop('two') as two \gset
select lease as first from task.claim(t.worker(), 1) \gset
select lease as second from task.claim(t.worker(), 1) \gset
select is(t.beat('{}'), 'alive drop {} stop {}', 'a fresh claim may not have reached it yet');
select is((select count(*)::integer from ccp.task_rows where status = 'running'), 2, 'so it runs');
select is(t.beat(array[:first, :second]::bigint[]), 'alive drop {} stop {}', 'what it lists is its own');
select is(
    t.beat(array[:first, :second, 999]::bigint[]), 'alive drop {999} stop {}', 'what is not its own it is told to drop'
);
select t.at('2099-01-01 00:00:05');
select is(t.beat(array[:first]::bigint[]), 'alive drop {} stop {}', 'five seconds later an unlisted claim may still be on its way');
select t.at('2099-01-01 00:00:06');
select is(t.beat(array[:first]::bigint[]), 'alive drop {} stop {}', 'then it is not its own any more');
select is(
    (select concat_ws(' ', status, attempt, losses) from ccp.task_rows where status = 'queued'),
    'queued 0 1', 'but waits again, its try given back'
);
select is(t.beat(array[:first, :second]::bigint[]), format('alive drop {%s} stop {}', :second), 'whoever comes with that lease drops it');
select is(
    task.cancel((select id from ccp.task_rows where status = 'running'), 'enough'), 'stopping', 'somebody cancels the other'
);
select is(t.beat(array[:first]::bigint[]), format('alive drop {} stop {%s}', :first), 'each beat says so');
select is(t.beat(array[:first]::bigint[]), format('alive drop {} stop {%s}', :first), 'until it has stopped');
select process.declare_dead(t.worker(), 'silent') as buried, max(id) as worker from ccp.processes \gset
select results_eq(
    format('select alive, drop_leases from process.beat(%s, array[%s]::bigint[])', :worker, :first),
    format('select false, array[%s]::bigint[]', :first), 'a dead process drops everything'
);
select is((select process.health() ->> 'worker'), 'absent', 'and health knows');

select * from finish();
rollback;
