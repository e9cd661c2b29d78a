-- Trigger on users: what they may may have ended, and their hosts show their name and state. The sessions of all time show
-- the name.
create or replace function live.note_user()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform live.note('logins', new.id::text);
    perform live.note('parts', h.id::text)
    from ccp.hosts as h
    where h.user_id = new.id and h.deleted_at is null;
    if new.username <> old.username then
        perform live.note('sessions', '*');
    end if;
    return null;
end
$$;

revoke all on function live.note_user() from public;

comment on function live.note_user() is
'Trigger: notes users whose name, role or state was written.';
