-- Trigger on sessions, which are listed and counted by their host.
create or replace function live.note_sessions()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ccp.changes (noun, row_id, host_id, user_id)
    select 'sessions', c.id, c.host_id, c.user_id
    from changed as c;
    return null;
end
$$;

revoke all on function live.note_sessions() from public;

comment on function live.note_sessions() is
'Trigger: notes sessions that were written.';
