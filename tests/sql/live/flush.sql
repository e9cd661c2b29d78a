-- A place is handed out when the WAL up to it is on the disk. What is written without waiting for that, as a rollback is, gets
-- there by itself within wal_writer_delay: this file asks sooner.
set synchronous_commit = off;
select plan(3);

begin;
select pg_current_xact_id();
insert into ccp.changes (noun, row_id) select 'tasks', n::text from generate_series(1, 100) as n;
rollback;
select pg_current_wal_insert_lsn() as written \gset
select live.flush();
select ok(pg_current_wal_flush_lsn() >= :'written'::pg_lsn, 'a flush brings to the disk what was rolled back');

begin;
insert into ccp.changes (noun, row_id) values ('tasks', 'x');
select live.flush();
select is(current_setting('synchronous_commit'), 'local', 'where something is not there yet it waits for its own commit');
rollback;
select live.flush();
begin;
select live.flush();
select is(current_setting('synchronous_commit'), 'off', 'and where all is there, for nothing');
rollback;

select * from finish();
