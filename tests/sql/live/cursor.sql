-- Where a stream is, as an opaque text: what is refused as a place to go on from.
begin;
select plan(17);

create function pg_temp.cursor_of(p_text text) returns text language sql as $$
    select translate(encode(convert_to(p_text, 'UTF8'), 'base64'), '+/=' || chr(10), '-_')
$$;
create function pg_temp.moved(p_old text, p_new text, p_snapshot text default '3:3:') returns text language sql as $$
    select pg_temp.cursor_of(regexp_replace(live.place(), p_old, p_new) || ' ' || p_snapshot)
$$;
select is(live.cursor_read(live.cursor(pg_current_snapshot()))::text, pg_current_snapshot()::text, 'a place is read as it was written');
select is(live.cursor_read(live.cursor('5:9:5,7'))::text, '5:9:5,7', 'with transactions that were open');
select matches(live.cursor('5:9:5,7'), '^[A-Za-z0-9_-]+$', 'it is a word');
select matches(live.place(), '^1 \d+ \d+ [0-9A-F]{8}$', 'it names the format, the cluster, the database, the timeline');
select is(split_part(live.place(), ' ', 3), (select d.oid::text from pg_database as d where d.datname = current_database()), 'this database');
select is(live.cursor_read(pg_temp.moved('^', ''))::text, '3:3:', 'such a place is one');
select is(live.cursor_read(pg_temp.moved('^1', '2'))::text, null, 'of another format');
select is(live.cursor_read(pg_temp.moved(' \d', ' 0'))::text, null, 'of another cluster');
select is(live.cursor_read(pg_temp.moved(' (\d+) \d+ ', ' \1 1 '))::text, null, 'of another database');
select is(live.cursor_read(pg_temp.moved('.$', 'F'))::text, null, 'of another timeline');
select is(live.cursor_read(pg_temp.moved('^', '', '3:1:'))::text, null, 'not a snapshot');
select is(live.cursor_read(pg_temp.moved('^', '', '3:3:x'))::text, null, 'nor that');
select is(
    live.cursor_read(live.cursor((format('3:%s:', pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1))::pg_snapshot))::text, null, 'ahead of this server'
);
select is(live.cursor_read(t)::text, null, 'no place: ' || coalesce(t, 'null')) from unnest(array['x', '!', null]) as t;
insert into ccp.change_marks (at, ended_before) values (now(), '4'), (now() + interval '1 second', '5');
select is(array[live.cursor_read(live.cursor('3:9:'))::text, live.cursor_read(live.cursor('4:9:'))::text], array[null, '4:9:'], 'older than what is kept');

select * from finish();
rollback;
