-- Trigger on what only a host shows: its exit, what was seen of it, what keeps people out, its evidence.
create or replace function live.note_parts()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ccp.changes (noun, row_id)
    select 'parts', c.host_id
    from changed as c;
    return null;
end
$$;

revoke all on function live.note_parts() from public;

comment on function live.note_parts() is
'Trigger: notes hosts of which something was written that they show.';
