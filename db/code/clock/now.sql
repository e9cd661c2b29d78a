-- The time every rule uses: that of the transaction. Test databases replace it with a clock that can be set.
create or replace function clock.now()
returns timestamptz
language sql
stable
return pg_catalog.now();

grant execute on function clock.now() to public;

comment on function clock.now() is
'The time every rule uses: that of the transaction.';
