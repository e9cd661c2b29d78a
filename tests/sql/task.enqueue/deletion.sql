-- A deletion that was asked for goes on until the host is gone, as it was asked for, and nobody gets in its way.
begin;
\ir ../hosts.psql
select plan(15);

create function t.fail_delete(p_now timestamptz) returns text language sql as $$
    select t.at(p_now);
    with k as (select * from t.claim())
    select task.fail(k.id, k.lease, 'docker_failed', 'no answer', false) || ' ' || k.params from k
$$;

select t.at('2099-01-01 00:00:00');
select task.enqueue('host.delete', t.host(), '{"wipe": "true"}');
select is(t.fail_delete('2099-01-01 00:00:01'), 'failed {"wipe": "true"}', 'a deletion fails');
select is(t.status(), 'failed', 'so does the host');
select throws_ok($$select t.ask('host.start')$$, 'CP409', 'host.start is not possible: host abcdef is being deleted', 'it cannot be started');
select throws_ok($$select t.ask('host.stop')$$, 'CP409', 'host.stop is not possible: host abcdef is being deleted', 'nor stopped');
select throws_ok($$select t.ask('host.rebuild')$$, 'CP409', 'host.rebuild is not possible: host abcdef is being deleted', 'nor rebuilt');
select is((select desired from ccp.hosts), 'absent', 'it stays unwanted');
select t.at('2099-01-01 00:00:07');
select clock.tick('worker');
select is(t.fail_delete('2099-01-01 00:00:08'), 'failed {"wipe": "true"}', 'the tick asks again, to remove the home too');
select t.at('2099-01-01 00:00:30');
select clock.tick('worker');
select is(t.fail_delete('2099-01-01 00:00:31'), 'failed {"wipe": "true"}', 'and again');
select lives_ok($$select task.cancel(id, 'changed my mind') from t.ask('host.delete')$$, 'one that has not begun can be canceled');
select is((select desired from ccp.hosts), 'stopped', 'which brings the host back');
select lives_ok($$select t.ask('host.stop')$$, 'for everybody');
select t.work();

select is(
    (task.enqueue('host.delete', t.host(), '{"wipe": "false"}')).id, (t.ask('host.delete')).id,
    'to say that the home is kept is the same as not to speak of it'
);
select throws_ok($$select task.enqueue('host.delete', t.host(), '{"wipe": "true"}')$$, 'CP409', null, 'to remove it is not');
select t.work();
select is(t.status(), 'deleted', 'it is deleted');
select is(
    (select message from ccp.events where type = 'admin.binding.deleted' and host_id = t.host()),
    'host abcdef no longer leaves through exit exit1', 'the end of its binding is in the audit log'
);

select * from finish();
rollback;
