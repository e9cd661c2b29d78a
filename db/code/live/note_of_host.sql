-- Trigger on what is listed itself and shown by its host as well: tasks and sessions, as its argument says.
create or replace function live.note_of_host()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ccp.changes (noun, row_id, host_id, user_id)
    select tg_argv[0], c.id, c.host_id, c.user_id
    from changed as c;
    return null;
end
$$;

revoke all on function live.note_of_host() from public;

comment on function live.note_of_host() is
'Trigger: notes tasks or sessions that were written.';
