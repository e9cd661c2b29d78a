-- Trigger: an administrator has disabled an exit, or enabled it again.
create or replace function egress.note_status()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform egress.note_state(new.id);
    return null;
end
$$;

revoke all on function egress.note_status() from public;

comment on function egress.note_status() is
'Trigger: an exit was disabled, or enabled again.';
