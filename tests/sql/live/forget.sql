-- What was noted is kept for 15 minutes, and as long as a transaction is open that a place may name.
begin;
\ir ../hosts.psql
select plan(9);

select t.at('2099-01-01 12:00:00+00');
delete from ccp.changes;
delete from ccp.change_marks;
select live.forget();
select live.forget();
select is((select count(*)::integer from ccp.change_marks), 1, 'a mark');
select t.at('2099-01-01 12:00:09+00');
select live.forget();
select is((select count(*)::integer from ccp.change_marks), 1, 'each 10 seconds');
select t.at('2099-01-01 12:00:10+00');
select live.forget();
select is((select count(*)::integer from ccp.change_marks), 2, 'another one');
select is((select max(ended_before) from ccp.change_marks), pg_snapshot_xmin(pg_current_snapshot()), 'says which transactions have ended');
-- As if transactions 4 and 5 had written before the first mark, and 6 after it.
delete from ccp.changes;
update ccp.change_marks set ended_before = case at when '2099-01-01 12:00:00+00' then '6'::xid8 else '7' end;
insert into ccp.changes (xid, noun, row_id) values ('4', 'hosts', 'a'), ('5', 'hosts', 'b'), ('6', 'hosts', 'c');
create function t.kept() returns text language sql as $$
    select string_agg(c.row_id, '' order by c.row_id) filter (where c.xid < '7') from ccp.changes as c
$$;
select t.at('2099-01-01 12:14:59+00');
select live.forget();
select is(t.kept(), 'abc', 'what is not old stays');
select t.at('2099-01-01 12:15:00+00');
select live.forget();
select is(t.kept(), 'c', 'what is goes');
select is((select min(ended_before) from ccp.change_marks), '6'::xid8, 'and the mark stays, which says so');
select is(live.cursor_read(live.cursor('5:6:'))::text, null, 'to those who come from before it');
select t.at('2099-01-01 12:15:10+00');
select live.forget();
select is(concat(t.kept(), (select min(ended_before) from ccp.change_marks)), '7', 'mark by mark');

select * from finish();
rollback;
