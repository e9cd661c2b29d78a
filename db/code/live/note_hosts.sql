-- Trigger on hosts. The node that a host lives on shows how many there are and how many of them run: live.changed() sees
-- to that.
create or replace function live.note_hosts()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ccp.changes (noun, row_id, user_id)
    select 'hosts', c.id, c.user_id
    from changed as c;
    return null;
end
$$;

revoke all on function live.note_hosts() from public;

comment on function live.note_hosts() is
'Trigger: notes hosts that were written.';
