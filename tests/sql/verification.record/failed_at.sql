-- What a failed verification leaves with what was seen of its host: when it was, for the list of hosts.
begin;
\ir ../hosts.psql
select plan(10);

create function t.record(p_outcome text, p_at timestamptz) returns bigint language sql as $$
    select verification.record(
        t.agent(), t.host(), null, 'full', p_outcome, case p_outcome when 'passed' then null else 'exit_mismatch' end,
        '198.51.100.1', '[]', 1, p_at
    )
$$;
create function t.seen() returns text language sql as $$
    select concat_ws(' ', o.state, o.sequence, 'failed ' || extract(epoch from clock.now() - o.failed_at)::integer || ' s ago')
    from ccp.observations as o
$$;

select t.record('passed', clock.now()) is not null as done, t.record('inconclusive', clock.now()) is not null as none \gset
select is(t.seen(), null, 'what has not failed leaves nothing');
select t.record('failed', clock.now() - interval '60 seconds') is not null as done \gset
select is(t.seen(), 'unknown 0 failed 60 s ago', 'a host of which nothing else was seen');
select host.reconcile(t.host());
select is(t.status(), 'stopped', 'is not taken for another than it is');
select is(
    host.observe(t.agent(), t.host(), 1, 'stopped', null, null, clock.now()), 'ok', 'the agent''s first news of it are newer'
);
select is(t.seen(), 'stopped 1 failed 60 s ago', 'and forget no failure');
select t.record('failed', clock.now() - interval '90 seconds') is not null as done \gset
select is(t.seen(), 'stopped 1 failed 60 s ago', 'nor does an earlier one that comes late');
select t.record('failed', clock.now()) is not null as done \gset
select is(t.seen(), 'stopped 1 failed 0 s ago', 'a later one counts');
select host.note_proofs(t.agent(), array[t.host()], array[clock.now() - interval '1 second'], array[60]);
select is(t.seen(), 'stopped 1 failed 0 s ago', 'a proof from before changes nothing');
select host.note_proofs(t.agent(), array[t.host()], array[clock.now()], array[60]);
select is(t.seen(), 'stopped 1', 'one that follows it makes good');
select t.record('failed', clock.now() - interval '1 second') is not null as done \gset
select t.record('failed', clock.now()) is not null as done \gset
select is(t.seen(), 'stopped 1', 'what failed before it and is told later is over');

select * from finish();
rollback;
