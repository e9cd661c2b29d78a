-- How long a program may be silent before it is declared dead. It is inlined into the views, so their readers may call it.
create or replace function process.silence_limit()
returns interval
language sql
immutable
return interval '20 seconds';

revoke all on function process.silence_limit() from public;
grant execute on function process.silence_limit() to ccp_automation, ccp_dba;

comment on function process.silence_limit() is
'How long a program may be silent before it is declared dead.';
