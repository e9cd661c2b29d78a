-- In which order a queue's tasks are claimed: requesters and kinds take turns, and housekeeping has a place of its own.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
select plan(20);

create function t.by(p_who text, p_labels text) returns void language sql as $$
    select task.submit('system.noop', null, jsonb_build_object('label', p_who || l), null, p_who) from unnest(string_to_array(p_labels, ' ')) as l
$$;
-- Claims one after the other and names them.
create function t.claims(p_limit integer) returns text language sql as $$
    select string_agg(coalesce(c.params ->> 'label', c.kind), ' ' order by c.lease)
    from generate_series(1, p_limit) as n, lateral task.claim(t.worker(), least(n, 1)) as c
$$;
create function t.turns() returns text language sql as $$
    select string_agg(concat(params ->> 'label', ':', turn), ' ' order by turn, run_at) from ccp.task_rows where status = 'queued'
$$;
create function t.end() returns void language sql as $$
    select task.succeed(id, lease, '{}') from ccp.task_rows where status = 'running'
$$;

-- Requesters.
select t.at('2099-01-01 00:00:00');
select t.by('a', '1 2 3 4 5 6 7 8');
select is(t.turns(), 'a1:0 a2:1 a3:2 a4:3 a5:4 a6:5 a7:6 a8:7', 'one requester''s tasks lie a turn apart');
select is(t.claims(2), 'a1 a2', 'and are claimed as they came');
select t.at('2099-01-01 00:00:01');
select t.by('b', '1 2');
select is(t.turns(), 'a3:2 b1:2 a4:3 b2:3 a5:4 a6:5 a7:6 a8:7', 'another one''s begin with the next turn');
select is(t.claims(3), 'a3 b1 a4', 'so they take turns');
select t.at('2099-01-01 00:00:02');
select t.by('c', '1');
select is(t.turns(), 'b2:3 c1:3 a5:4 a6:5 a7:6 a8:7', 'a third one comes with what is done now');
select is(t.claims(9), 'b2 c1 a5 a6 a7 a8', 'nothing is left out');
select t.by('d', '1');
select is(t.turns(), 'd1:7', 'with nothing queued a new one begins at the turn of what runs');
select t.at('2099-01-01 00:00:03');
select t.by('a', '9');
select is(t.turns(), 'd1:7 a9:7', 'and so does one who had the queue: what was done is no debt');
select is(t.claims(9), 'd1 a9', 'the first who asked comes first in a turn');
select t.end();
select t.by('a', '10 11');
select is(t.turns(), 'a10:0 a11:1', 'an empty queue counts anew');
select t.claims(1);
select t.end();
select t.at('2099-01-01 00:00:04');
select t.by('b', '3');
select is(t.turns(), 'a11:1 b3:1', 'the head of the queue counts when nothing runs');
select t.claims(9);
select t.end();

-- Another queue's tasks are no measure.
select t.by('a', '20 21 22 23');
select t.claims(3);
select t.ask('host.start');
select is((select max(turn)::integer from ccp.task_rows where queue = 'ccp_agent_1' and status = 'queued'), 0, 'another queue''s tasks are no measure');
select t.claims(9);
select t.claim();
select t.end();
update ccp.hosts set desired = 'stopped';

-- Kinds.
select task.submit('host.verify', t.host(), '{}', null, 'a');
select task.submit('host.start', t.second(), '{}', null, 'a');
select is(
    (select string_agg(concat(h.short_id, ' ', k.turn), ', ' order by h.short_id) from ccp.task_rows as k join ccp.hosts as h on h.id = k.host_id where k.status = 'queued'),
    'abcdef 0, ghijkl 0', 'two kinds of one requester take turns too'
);
select is(task.turn('ccp_agent_1', 'host.start', 'b'), 0::bigint, 'another requester''s start is not behind it');
select is(task.turn('ccp_agent_1', 'host.start', 'a'), 1::bigint, 'another start of the same one is');
select t.end();

-- Several at once.
select t.by('e', '1 2 3');
select t.by('f', '1');
select is(
    (select string_agg(c.params ->> 'label', ' ' order by c.params ->> 'label') from task.claim(t.worker(), 3) as c),
    'e1 e2 f1', 'several that are claimed at once are those whose turns come first'
);
select t.claims(9);
select t.end();

-- Housekeeping.
select t.by('a', '31 32');
select task.submit('events.retain', null, '{}', null, 'tick');
select is((select turn::integer from ccp.task_rows where kind = 'events.retain'), 0, 'housekeeping begins at once');
select is(t.claims(9), 'a31 a32', 'it is no other place''s');
select is((select string_agg(kind, ' ') from task.claim(t.worker(), 9, true)), 'events.retain', 'its own place takes it');
select is((select count(*)::integer from task.claim(t.worker(), 9, true)), 0, 'and nothing else');

select * from finish();
rollback;
