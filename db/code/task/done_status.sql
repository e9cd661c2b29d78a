-- The status a host has when a task of this kind has succeeded on it, as things are wanted now.
create or replace function task.done_status(p_kind ccp.task_kinds, p_host ccp.hosts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_kind.done_unwanted_status is not null and host.wanted(p_host) <> 'running' then p_kind.done_unwanted_status
        else p_kind.done_status
    end
$$;

revoke all on function task.done_status(ccp.task_kinds, ccp.hosts) from public;

comment on function task.done_status(ccp.task_kinds, ccp.hosts) is
'The status a host has when a task of this kind has succeeded on it.';
