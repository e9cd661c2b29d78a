-- What a request for a task returns, refuses and leaves behind.
begin;
\ir ../hosts.psql
select plan(24);

select is((t.ask('host.start')).status, 'queued', 'a start of a stopped host is queued');
select is(t.status(), 'starting', 'the host is starting from the moment the task is its next one');
select is((select desired from ccp.hosts), 'running', 'a person who asks for a start wants the host running');
select is((t.ask('host.start')).id, (select id from ccp.task_rows), 'the same request again returns the live row');
select throws_ok(
    $$select t.ask('host.rebuild')$$, 'CP409', 'host.rebuild has to wait: host.start is queued',
    'rebuild is refused while the host is busy'
);
select throws_ok($$select t.ask('host.verify')$$, 'CP409', null, 'verify is refused while the host is busy');
select is((t.ask('host.stop')).kind, 'host.stop', 'a stop takes the place of a queued start');
select is(
    (select error_code from ccp.task_rows where kind = 'host.start'), 'superseded', 'the start it replaced says superseded'
);
select is(t.status(), 'stopping', 'the host goes straight from starting to stopping');
select is((t.ask('host.start')).status, 'queued', 'a start takes the place of a queued stop');
select is(t.status(), 'starting', 'and the host is starting again');
select lives_ok($$select t.claim()$$, 'the start is claimed');
select is((t.ask('host.stop')).status, 'queued', 'a stop waits behind the running start');
select is(
    (select stop_reason from ccp.task_rows where status = 'running'), 'superseded', 'and asks it to stop'
);
select is((t.ask('host.delete')).status, 'queued', 'a delete takes the place of the queued stop');
select throws_ok($$select t.ask('host.start')$$, 'CP409', null, 'nothing takes the place of a delete');
select is(t.succeed(), 'ok', 'the start may still succeed');
select is(t.status(), 'deleting', 'then the delete is the next');
select lives_ok($$select t.claim()$$, 'it is claimed');
select throws_ok($$select t.ask('host.start')$$, 'CP409', null, 'nothing waits behind a delete');
select is(t.succeed(), 'ok', 'the delete succeeds');
select is(t.status(), 'deleted', 'the host is a tombstone');
select throws_ok($$select t.ask('host.start')$$, 'CP404', 'there is no such host', 'a tombstone is no host');
select is((select count(*)::integer from ccp.bindings where ended_at is null), 0, 'its binding has ended');

select * from finish();
rollback;
