-- Which hosts a tick touches: those that may need something, and no other. A transaction sees its own locks in rows that
-- earlier ones wrote, so this file commits. And one tick at a time.
begin;
\ir ../hosts.psql
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, wg_public_key, failures, retry_at, status_changed_at)
select
    v.short_id, h.user_id, h.node_id, 'image', v.status, v.desired, repeat('C', 43) || '=', v.failures,
    clock.now() + v.retry_in, clock.now() - v.age
from (
    values
        ('steady', 'running', 'running', 2, interval '-1 minute', interval '11 minutes'),
        ('recent', 'running', 'running', 2, null, interval '9 minutes'),
        ('unruly', 'running', 'stopped', 2, interval '1 minute', interval '11 minutes'),
        ('drifta', 'running', 'running', 0, null, interval '1 minute'),
        ('driftb', 'stopped', 'stopped', 0, null, interval '1 minute'),
        ('driftc', 'stopped', 'stopped', 0, null, interval '1 minute'),
        ('calmaa', 'stopped', 'stopped', 0, null, interval '11 minutes'),
        ('calmbb', 'stopped', 'stopped', 0, null, interval '11 minutes'),
        ('needed', 'running', 'stopped', 0, null, interval '1 minute'),
        ('waited', 'running', 'stopped', 1, interval '-1 second', interval '1 minute'),
        ('waits1', 'running', 'stopped', 1, interval '1 minute', interval '1 minute'),
        ('busyaa', 'running', 'stopped', 0, null, interval '1 minute')
) as v (short_id, status, desired, failures, retry_in, age)
cross join ccp.hosts as h
where h.short_id = 'abcdef';
insert into ccp.observations (host_id, process_id, sequence, state, observed_at)
select h.id, t.agent(), 1, v.state, clock.now() + interval '1 second'
from (
    values ('steady', 'running'), ('recent', 'running'), ('drifta', 'closed'), ('driftb', 'running'), ('driftc', 'closed'),
        ('calmaa', 'absent'), ('calmbb', 'stopped'), ('unruly', 'running')
) as v (short_id, state)
join ccp.hosts as h on h.short_id = v.short_id;
insert into ccp.task_rows (kind, host_id, user_id, queue, created_by)
select 'host.verify', id, user_id, 'ccp_agent', 'test' from ccp.hosts where short_id = 'busyaa';
commit;
select plan(8);

begin;
select is(clock.reconcile_all(), null, 'there are no more');
select clock.forget_failures();
select is(
    (select string_agg(short_id, ' ' order by short_id) from ccp.hosts where pg_current_xact_id()::text in (xmin::text, xmax::text)),
    'needed steady waited', 'a tick touches what may need it'
);
select is(
    (select string_agg(h.short_id, ' ' order by h.short_id) from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id where k.kind = 'host.stop'),
    'needed waited', 'what is not as wanted gets its task'
);
select is(
    (select string_agg(concat_ws(' ', short_id, failures, retry_at is not null), ', ' order by short_id) from ccp.hosts
    where short_id in ('steady', 'recent', 'unruly')),
    'recent 2 f, steady 0 f, unruly 2 t', 'failures are forgotten after ten minutes as wanted'
);
rollback;
\set tick `echo "select clock.tick('cron')"`
begin;
select is(clock.tick('worker'), 'done', 'one ticks');
\set other `psql -XAtq -h :'HOST' -U :'USER' -d :'DBNAME' -c :'tick'`
select is(:'other'::text, 'busy', 'another does not at the same time');
select is((select ticked_at from ccp.ticks where who = 'cron'), null, 'and leaves no trace but that it was there');
commit;
\set other `psql -XAtq -h :'HOST' -U :'USER' -d :'DBNAME' -c :'tick'`
select is(:'other'::text, 'done', 'the next one does');
