-- A host's log: its last events, and what is written since, each once.
begin;
\ir ../hosts.psql
\ir ../second_host.psql
\ir ../people.psql
select plan(22);

create temporary table pieces (text text, next_cursor text);
grant all on pieces to public;
create function t.read(p_follow boolean default true, p_tail integer default 100, p_cursor text default null, p_format text default 'ndjson')
returns text[] language plpgsql as $$
declare
    v_piece api.event_chunk;
begin
    v_piece := api.host_log(t.login('boss'), 1, t.host(), p_tail, p_follow, p_format, p_cursor);
    delete from pieces;
    insert into pieces values (v_piece.text, v_piece.next_cursor);
    if p_format = 'csv' then
        return string_to_array(v_piece.text, e'\r\n');
    end if;
    return array(select l::jsonb ->> 'message' from string_to_table(v_piece.text, e'\n') as l where l <> '');
end
$$;
create function t.next() returns text language sql as $$ select next_cursor from pieces $$;
create function t.note(p_message text, p_host uuid default t.host()) returns void language sql as $$
    select event.write('host.verified', p_message, null, p_host)
$$;

select t.at('2099-01-01');
select is(t.read(false), '{}', 'a host to which nothing has happened has an empty log');
select is(t.next(), null, 'which ends');
select t.note('one');
select t.note('another''s', t.second());
select t.note('nobody''s', null);
select t.at('2099-01-01 00:00:01');
select t.note('two');
select is(t.read(false), '{one,two}', 'it is what happened to this host, in the order of time');
select is(t.read(false, 1), '{two}', 'of which the last ones are asked for');
select is((select (text::jsonb - 'cursor')::text from pieces), (
    select to_jsonb(e)::text from api.event as e where e.message = 'two'
), 'a line is an event');
select is((t.read(false, 100, null, 'csv'))[1], 'id,time,level,type,message,actor,actor_role,actor_address,user_id,host_id,task_id,metadata,cursor', 'CSV has its names first');
select is(cardinality(t.read(false, 100, null, 'csv')), 4, 'and then a line each');
select t.read(false);
select is(
    (api.event_export(t.login('boss'), 1, p_host_id => t.host(), p_cursor => (
        select split_part(text, e'\n', 1)::jsonb ->> 'cursor' from pieces
    ))).text::jsonb ->> 'message', 'two', 'an export goes on behind any line'
);

-- To follow. Here all is one transaction; whether its own snapshots have seen it depends on those beside it, so other ones are given.
select is(t.read(), '{one,two}', 'it is followed from the same lines on');
select isnt(t.next(), null, 'and goes on');
select is((select pg_snapshot_xmax(t.next()::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())), true, 'from the snapshot it was read with');
select is(t.read(p_cursor => '1:1:'), '{one,two}', 'what a snapshot did not see comes');
select is(
    t.read(p_cursor => (
        select format('%s:%s:', x + 1, x + 1) from cast(pg_current_xact_id()::text as bigint) as c (x)
    )), '{}', 'what it saw does not'
);
select isnt(t.next(), null, 'while nothing happens it goes on');
select is((select text from pieces), '', 'with an empty piece');
select is(left((t.read(true, 100, '1:1:', 'csv'))[1], 3), '"1"', 'a later piece of CSV has no names');
select t.at('2099-01-01 01:00:01');
select is(t.read(p_cursor => '1:1:'), '{two}', 'events of more than an hour ago are no news');

-- Its end, and who may.
update ccp.hosts set desired = 'absent', status = 'deleting' where id = t.host();
select isnt(t.next(), null, 'a host that is being deleted is followed');
set local session_replication_role = replica;
update ccp.hosts set status = 'deleted', deleted_at = clock.now() where id = t.host();
set local session_replication_role = origin;
select is(t.read(p_cursor => '1:1:'), '{two}', 'to its last word');
select is(t.next(), null, 'which ends it');
select throws_ok($$select t.read()$$, 'CP404', 'There is no such host.', 'a deleted host has no log');
select throws_ok(
    $$select api.host_log(t.login('alice'), 1, t.second())$$, 'CP403', null, 'an administrator reads it'
);

select * from finish();
rollback;
