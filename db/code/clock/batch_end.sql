-- When a rule's batch has to end that begins now, however much is left of it: long before its caller's patience does.
create or replace function clock.batch_end()
returns timestamptz
language sql
volatile
return clock_timestamp() + interval '500 milliseconds';

revoke all on function clock.batch_end() from public;

comment on function clock.batch_end() is
'When a batch that begins now has to end.';
