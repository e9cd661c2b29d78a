-- Why a host is stopped whose owner desires it running is told once, whoever stops it: the tick, or a task's end.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(19);

select t.at('2099-01-01');
create function t.told() returns text language sql as $$
    select string_agg(concat_ws(' ', e.level, e.type, e.message, k.kind, k.status), '; ' order by e.id)
    from ccp.events as e
    join ccp.task_rows as k on k.id = e.task_id
    where e.type in ('host.stop.expired', 'host.stop.drained', 'host.disk.stopped')
        and e.at = clock.now()
$$;
create function t.live() returns text language sql as $$
    select string_agg(concat_ws(' ', k.kind, k.status, k.created_by), ', ' order by k.created_at, k.kind)
    from ccp.task_rows as k
    where k.host_id = t.host() and k.status in ('queued', 'running')
$$;
-- A check runs when the reason comes up, and ends; then the tick looks too.
create function t.end_of_a_check(p_at timestamptz, p_reason text) returns text language plpgsql as $$
declare
    v_at_end text;
begin
    perform t.at(p_at);
    perform t.ask('host.verify');
    perform t.claim();
    execute p_reason;
    perform t.succeed();
    v_at_end := t.told();
    perform clock.tick('worker');
    return v_at_end;
end
$$;

select t.run();
select is(
    t.end_of_a_check('2099-01-02', 'select node.drain(id) from ccp.nodes'),
    'warning host.stop.drained host abcdef is stopped: node1 is drained host.stop queued', 'a drain is told at a task''s end'
);
select is(t.live(), 'host.stop queued reconcile', 'which stops the host');
select is(t.told(), 'warning host.stop.drained host abcdef is stopped: node1 is drained host.stop queued', 'the tick does not tell it again');
select t.work();
select node.drain(id, false) from ccp.nodes;
select clock.tick('worker');
select t.work();
select is(t.status(), 'running', 'it runs again');

select host.observe(t.agent(), t.host(), 1, 'running', null, null, clock.now()) is null as seen \gset
select host.note_disk(t.agent(), t.host(), 21::bigint << 30, 1, 1);
select is(
    t.end_of_a_check('2099-01-03', 'select node.set_disk(t.agent(), 1, 1000, 0, 0)'),
    'warning host.disk.stopped host abcdef is stopped: its files take more than the 20 GB of host_disk_gb, and the disk of node1 is '
    'nearly full host.stop queued', 'and so is a disk that is nearly full'
);
select is(t.live(), 'host.stop queued reconcile', 'which stops the host');
select is((select count(*)::integer from ccp.events where type = 'host.disk.stopped'), 1, 'once');
select t.work();
select node.set_disk(t.agent(), 900, 1000, 0, 0);
select clock.tick('worker');
select t.work();
select is(t.status(), 'running', 'it runs again');

select is(
    t.end_of_a_check('2099-01-04', $$select account.edit(t.user('alice'), p_status => 'disabled')$$),
    'warning host.stop.expired host abcdef is stopped because its user is disabled host.stop queued', 'and so is a user who is disabled'
);
select is(t.live(), 'host.stop queued reconcile', 'which stops the host');
select is((select count(*)::integer from ccp.events where type = 'host.stop.expired'), 1, 'once');
select t.work();
select account.edit(t.user('alice'), p_status => 'active');
select clock.tick('worker');
select t.work();
select is(t.status(), 'running', 'it runs again');

-- Several reasons at once are one: the first that its owner's account has.
select node.set_disk(t.agent(), 1, 1000, 0, 0);
select node.drain(id) from ccp.nodes;
select is(
    t.end_of_a_check('2099-01-05', $$select account.edit(t.user('alice'), p_expires_at => clock.now())$$),
    'warning host.stop.expired host abcdef is stopped because its user is expired host.stop queued', 'of several reasons the user''s'
);
select t.work();
select account.edit(t.user('alice'), p_expires_at => null);
select is(t.told(), 'warning host.stop.expired host abcdef is stopped because its user is expired host.stop succeeded', 'nothing more is told');
select clock.tick('worker');
select is(t.status(), 'stopped', 'it stays stopped for the others');

-- What its owner desires needs no reason.
select node.drain(id, false) from ccp.nodes;
select node.set_disk(t.agent(), 900, 1000, 0, 0);
select clock.tick('worker');
select t.work();
select is(t.status(), 'running', 'it runs once more');
select t.at('2099-01-06');
select t.ask('host.verify') is null as asked \gset
select t.claim();
update ccp.hosts set desired = 'stopped' where id = t.host();
select t.succeed();
select is(t.live(), 'host.stop queued reconcile', 'a host that is desired stopped is stopped');
select is(t.told(), null, 'without a word');
select ok(not exists (select from ccp.events where type = 'host.disk.stopped' and at > '2099-01-04'), 'and nothing else was');

select * from finish();
rollback;
