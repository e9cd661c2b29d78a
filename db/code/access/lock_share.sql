-- How full the table of locks is that all sessions of the server share, from 0 to 1.
create or replace function access.lock_share()
returns double precision
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select count(*) / (
        current_setting('max_locks_per_transaction')::double precision * (
            current_setting('max_connections')::integer + current_setting('autovacuum_max_workers')::integer
            + current_setting('max_worker_processes')::integer + current_setting('max_wal_senders')::integer
            + current_setting('max_prepared_transactions')::integer
        )
    )
    from pg_locks as l
    where not l.fastpath
$$;

revoke all on function access.lock_share() from public;
grant execute on function access.lock_share() to ccp_automation, ccp_dba;

comment on function access.lock_share() is
'How full the table of locks is that all sessions share, from 0 to 1.';
