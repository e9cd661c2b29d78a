-- How long a task may go on past its deadline, when it was asked to stop, before its process is declared dead. It is inlined
-- into the views, so their readers may call it.
create or replace function task.overdue_limit()
returns interval
language sql
immutable
return interval '30 seconds';

revoke all on function task.overdue_limit() from public;
grant execute on function task.overdue_limit() to ccp_automation, ccp_dba;

comment on function task.overdue_limit() is
'How long a task may go on past its deadline before its process is declared dead.';
