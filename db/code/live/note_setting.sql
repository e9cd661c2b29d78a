-- Trigger on the settings that every host shows.
create or replace function live.note_setting()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform live.note('parts', '*');
    return null;
end
$$;

revoke all on function live.note_setting() from public;

comment on function live.note_setting() is
'Trigger: notes that what every host shows was written.';
