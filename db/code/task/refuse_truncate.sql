-- Trigger: tables that stand for real containers are never emptied.
create or replace function task.refuse_truncate()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.refuse(
        'CP403', 'not_truncatable', format('%s refuses truncate: its rows stand for real containers', tg_table_name),
        jsonb_build_object('table', tg_table_name), 'delete hosts by the task host.delete'
    );
    return null;
end
$$;

revoke all on function task.refuse_truncate() from public;

comment on function task.refuse_truncate() is
'Trigger: hosts and tasks are never truncated.';
